"""The sample companies: `veresk`, as in the mock-ups, and `rival`, whose absurd figures show that nothing crosses."""
