"""What `roles/` tells the layers above before it writes, where a receiver that raises a refusal stops the write, and what it
asks them for."""

from django.dispatch import Signal

campaign_will_run = Signal()
"""A campaign is about to become active or testing. `campaign`: the row as it will be."""

campaign_leaves_series = Signal()
"""A campaign is about to leave its series, for another or for none. `campaign`: the row as it was."""

bounds_will_change = Signal()
"""Budget, tolerance or stop-loss of a channel or campaign are about to change. `scope`: the row as it will be; `by`, `at`;
`reason`: why, in words, may be empty."""

formula_is_told = Signal()
"""The journal tells of a KPI's formula. `company`, `text`: with codes of metrics; a receiver answers with the words for it."""
