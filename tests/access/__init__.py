"""tests/access: nobody reads or changes what is not theirs."""
