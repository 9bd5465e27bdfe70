"""What a mechanism is: its file, its reports, its settlement."""
