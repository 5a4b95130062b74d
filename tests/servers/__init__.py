"""Real and scripted counterparts on loopback, for the tests of the edges and the journeys."""
