"""Tags that draw: sparklines, bullets, bars and plots as server-made SVG over `kpis.charts`."""

from django import template

register = template.Library()
