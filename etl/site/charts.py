"""The page of charts: each with its numbers as a table and the SQL behind them."""
