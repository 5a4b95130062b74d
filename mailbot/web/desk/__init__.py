"""The desk: the whole product from a browser, for colleagues who log in."""
