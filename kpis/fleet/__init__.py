"""Many companies at once: what `kpis.series` and `kpis.replay` do for one company, done set-based for a range of them."""
