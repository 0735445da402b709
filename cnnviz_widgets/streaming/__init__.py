"""Carries arrays to the browser and the browser's requests to a worker; knows neither torch nor widgets."""
