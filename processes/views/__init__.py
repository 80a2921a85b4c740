"""Pages of `processes/`, a module per noun: decisions, actions."""
