"""Games: players, actions, payoffs; exact numbers, lotteries, and games of other programs."""
