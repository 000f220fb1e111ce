"""The command `python -m demo.annotate`: the attributes of every face in many pictures, as CSV or Parquet."""
