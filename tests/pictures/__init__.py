"""The pictures that README shows."""
