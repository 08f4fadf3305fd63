"""deploy: how the house is put together and started; with bench the only room that may see every other."""
