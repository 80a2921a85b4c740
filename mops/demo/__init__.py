"""The sample companies: `veresk`, as in the mock-ups, `tyos`, the second company of its director, and `rival`, whose absurd figures show that nothing crosses."""
