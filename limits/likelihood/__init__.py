"""The HistFactory likelihood as arrays: reading, evaluating and minimising it in batches."""
