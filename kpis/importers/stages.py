"""What the stage of a deal means: guessed from its name in Russian and English, said by a person where that does not tell."""

import re

NEW, QUALIFIED, WON, LOST, JUNK = "new", "qualified", "won", "lost", "junk"
KINDS = (NEW, QUALIFIED, WON, LOST, JUNK)
"""A lead; a lead worth working on; a deal made; a deal lost; no lead at all (spam, a double, a test)."""

GUESSES = (
    (JUNK, r"спам|\bspam\b|дубл|duplicate|нецелев|\bjunk\b|тестов|\btest\b"),
    (LOST, r"не ?реализ|закрыто и не|проигр|отказ|провал|\blost\b|\blose\b|:lose|потерян|отмен|cancel|не ?квалиф|дисквалиф"
           r"|unqualif|disqualif|некачеств|apology"),
    (WON, r"успешн|реализован|выигр|оплачен|\bwon\b|:won|сделка заключена|продан[оа]?\b|завершена успешно"),
    (QUALIFIED, r"квалиф|qualif|переговор|\bкп\b|коммерческ|предложен|договор|сч[её]т|презентац|presentation|proposal|negotiat"
                r"|contract|appointment|decision|встреч|согласован|принимают решение|\bquote\b|\bdemo\b|демо|замер|предоплат"),
    (NEW, r"\bнов|первичн|неразобран|\bnew\b|incoming|входящ|\blead\b|\bлид|заявк|обращени|prospect|взят|недозвон|preparation"),
)  # fmt: skip


def guess_kind(stage: str) -> str:
    """What a stage of this name likely is; empty where the name does not tell: then it is asked."""
    name = " ".join(re.sub(r"[_\s]+", " ", stage).replace("ё", "е").casefold().split())
    for kind, pattern in GUESSES:
        if re.search(pattern, name):
            is_denied = kind in {WON, QUALIFIED} and re.search(r"\b(не|not|no|без)\b", name)
            return "" if is_denied else kind
    return ""


def guess(names: list[str], remembered: dict[str, str]) -> dict[str, str]:
    """For each stage its kind: as a person said, else by its name; empty where nobody knows."""
    return {name: remembered[name] if remembered.get(name) in KINDS else guess_kind(name) for name in names}
