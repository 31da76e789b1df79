"""Jobs, turns, limits and permissions: state and rules that every door shares. Imports no web framework."""
