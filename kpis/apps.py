from django.apps import AppConfig


class KpisConfig(AppConfig):
    name = "kpis"

    def ready(self) -> None:
        from kpis import bounds
        from kpis.selectors.measures import formula_words
        from roles.signals import bounds_will_change, formula_is_told

        bounds_will_change.connect(bounds.look_at_bounds, dispatch_uid="kpis.bounds.look_at_bounds")
        formula_is_told.connect(formula_words, dispatch_uid="kpis.measures.formula_words")
