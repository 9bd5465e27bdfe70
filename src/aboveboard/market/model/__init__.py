"""Markets: goods, traders, bids, prices, and how a file describes them."""
