from django.utils.translation import gettext, override

from mops import translations

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "A message of this test"\nmsgstr "Сообщение этого теста"\n'


def test_catalogue_compiled_late_is_read_by_the_same_process(tmp_path, settings):
    """The first start compiles and then fills the sample: its texts must not stay English."""
    folder = tmp_path / "ru" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO)
    settings.LOCALE_PATHS = [tmp_path]
    with override("ru"):
        translations._forget_loaded()
        assert gettext("A message of this test") == "A message of this test"

        assert len(translations.compile_all()) == 1

        assert gettext("A message of this test") == "Сообщение этого теста"
    translations._forget_loaded()


def test_compiling_twice_does_nothing():
    translations.compile_all()

    assert translations.compile_all() == []
