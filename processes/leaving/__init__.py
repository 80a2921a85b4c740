"""Leaving: what a departure would break, the handover of everything a person holds, and rehearsing their absence."""
