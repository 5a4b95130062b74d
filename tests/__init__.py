"""Tests: rules (pure), edges (one real counterpart), journeys (the whole product)."""
