"""No words from elsewhere get onto a page but through the functions that make them text; see `wordlint.py`."""

import pytest
from wordlint import APP, Lint, read

# What is safe though it cannot be followed, and why.
ALLOWED = {
    ("evaluate/plots.py", "option"): "drawn on a canvas, with labels of a redacted evaluation; tips are text",
    ("shell/palette.py", "page.title"): "written out in pages.py",
    ("shell/fields.py", "label"): "whoever calls it is looked at",
    ("shell/fields.py", "value"): "whoever calls it is looked at",
    ("galleries/overview.py", "entry.condition"): "one of three words of ours",
    ("galleries/labels.py", "pictures.address(gallery.name, item.sha256)"): "a quoted name and a hash",
    ("galleries/source.py", "ways"): "constants of that file",
    ("galleries/source.py", "dataset.options"): "one of the datasets that are written out in the code",
    ("pages.py", "str(LOGO)"): "a file of ours",
    ("shell/bottom_bar.py", "page"): "pages of ours",
    ("search/home.py", "why"): "one of the constants of that file",
    ("search/filters.py", "str.capitalize"): "of the three accuracies",
    ("search/exports.py", "file.label"): "looked at where a Download is made",
    ("search/exports.py", "file.note"): "likewise",
    ("search/feedback.py", "notice"): "made text where it was put into the session",
    ("search/notices.py", "change.text"): "made text where it was put into the session",
    ("search/notices.py", "f'Still on: {named}'"): "made text where filters are listed",
    ("search/query_input.py", "why"): "one of the constants of that file",
    ("train/result.py", "st.success"): "called with `learned.verdict`, a constant",
    ("train/result.py", "st.error"): "likewise",
    ("train/result.py", "st.warning"): "likewise",
    ("train/result.py", "st.info"): "likewise",
    ("train/progress.py", "option"): "drawn of numbers",
    ("train/example.py", "charts.recall(_epochs())"): "drawn of numbers",
}


def test_all_words_on_pages_are_ours_or_have_been_made_text() -> None:
    lint = Lint(ALLOWED)
    found = [str(one) for path in sorted(APP.rglob("*.py")) for one in lint.check(read(path))]
    assert found == []
    assert lint.used == set(ALLOWED), "what is not there any more is not on the list"


HEAD = """import streamlit as st
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.app.serving.access import text_for_visitor
"""
HELPER = "def _helper(words):\n    st.caption(words)\n"


@pytest.mark.parametrize(
    "line",
    [
        "st.caption(item.label)",
        "st.caption(f'In {item.label}')",
        "st.caption('In ' + item.label)",
        "st.caption('In {}'.format(item.label))",
        "st.caption('In %s' % item.label)",
        "st.caption(' · '.join([item.label]))",
        "st.caption(' · '.join(item.labels))",
        "st.caption(str(item.label))",
        "st.caption(item.label.strip())",
        "st.caption(item.label or 'none')",
        "st.caption('none' if item.is_gone else item.label)",
        "st.caption(f'{item.label:>10}')",
        "st.caption(body=item.label)",
        "st.caption('x', help=item.label)",
        "st.caption(text_for_visitor(item.label))",
        "st.caption(repr(item.label))",
        "st.caption(NAMES.get(item.label, item.label))",
        "text = item.label; st.caption(text)",
        "text = 'x'; text += item.label; st.caption(text)",
        "for text in item.labels: st.caption(text)",
        "for _, text in (('a', 'b'), ('c', item.label)): st.caption(text)",
        "texts = []; texts.append(item.label); st.caption(' '.join(texts))",
        "_helper(item.label)",
        "st.caption(_made(item))",
        "left, right = st.columns(2); left.markdown(item.label)",
        "st.columns(2)[0].markdown(item.label)",
        "st.container().markdown(item.label)",
        "column.markdown(item.label)",
        "st.sidebar.write(item.label)",
        "st.write('a', item.label)",
        "st.title(item.label)",
        "st.header(item.label)",
        "st.subheader(item.label)",
        "st.button(item.label)",
        "st.button('x', icon=item.label)",
        "st.checkbox(item.label)",
        "st.toggle(item.label)",
        "st.toast(item.label)",
        "st.info(item.label)",
        "st.warning(item.label)",
        "st.error(str(error))",
        "st.success(item.label)",
        "st.metric(item.label, 1)",
        "st.metric('x', item.label)",
        "st.metric('x', 'y', item.label)",
        "st.tabs([item.label])",
        "st.expander(item.label)",
        "st.popover(item.label)",
        "st.progress(0.5, item.label)",
        "st.progress(0.5, text=item.label)",
        "st.spinner(item.label)",
        "st.status(item.label)",
        "status.update(label=item.label)",
        "st.dialog(item.label)(print)()",
        "st.radio('x', item.labels)",
        "st.pills('x', ['a'], format_func=lambda one: one)",
        "st.segmented_control('x', item.labels)",
        "st.selectbox('x', item.labels)",
        "st.selectbox('x', ['a'], format_func=lambda one: item.label)",
        "st.multiselect('x', item.labels)",
        "st.selectbox(item.label, ['a'])",
        "st.text_input(item.label)",
        "st.text_input('x', item.label)",
        "st.text_input('x', placeholder=item.label)",
        "st.slider(item.label)",
        "st.download_button(item.label, b'')",
        "st.download_button('x', b'', file_name=item.path)",
        "st.download_button('x', b'', text_for_visitor(item.path))",
        "st.page_link('x', label=item.label)",
        "st.link_button(item.label, 'x')",
        "st.table({'a': item.label})",
        "st.table({item.label: 'a'})",
        "st.table([{'a': item.label}])",
        "st.dataframe({'a': [item.label]})",
        "st.dataframe({'a': [one for one in item.labels]})",
        "st.dataframe({'a': []}, column_config={'a': st.column_config.LinkColumn(item.label)})",
        "st.image(b'', item.label)",
        "st.image(b'', caption=item.label)",
        "st.image(b'', alt=item.label)",
        "st.code(item.path)",
        "st.badge(item.label)",
        "st.html(f'<b>{item.label}</b>')",
        "st.html(shown_by(item))",
        "st.markdown('x', unsafe_allow_html=True)",
        "st.json(item.metadata)",
        "st.echarts_chart(option)",
        "st.vega_lite_chart(None, {'title': item.label})",
        "st.chat_input(item.label)",
        "st.caption(*item.labels)",
        "st.caption(**item.facts)",
        "show = st.caption; show(item.label)",
        "list(map(st.caption, item.labels))",
        "from streamlit import caption",
        "Tile(label=item.label)",
        "tile['label'] = item.label",
        "tile['alt'], tile['hint'] = 'x', item.label",
        "cropper.show(b'', item.label, None, print, key='x')",
        "heat.picture(b'', heat, alt='x', caption=item.label)",
    ],
)
def test_words_that_are_not_made_text_are_found(line: str) -> None:
    text = f"{HEAD}def _made(item):\n    return item.label\n"
    text += f"def show(item, column, status, option, error):\n    {line}\n{HELPER * ('_helper' in line)}"
    assert [*Lint({}).check(read(APP / "snippet.py", text))], line


@pytest.mark.parametrize(
    "line",
    [
        "st.caption('x')",
        "st.caption(f'{len(items)} of {count:,} in {seconds:.1f} s, {share:.0%}')",
        "st.caption(as_markdown(item.label))",
        "st.caption(f'In **{as_markdown(item.label)}**')",
        "st.caption(' · '.join(map(as_markdown, item.labels)))",
        "st.error(sentence_as_markdown(str(error)), icon=':material/error:')",
        "st.caption(ABOUT[kind])",
        "for text in ('a', 'b'): st.caption(text)",
        "text = 'a' if item else as_markdown(item.label); st.caption(text)",
        "_helper('x')",
        "st.selectbox('x', item.labels, format_func=text_for_visitor)",
        "st.dataframe({'a': [text_for_visitor(one) for one in item.labels]})",
        "st.image(item.picture, alt=text_for_visitor(item.label))",
        "logger.warning('%s', item.label)",
        "item.label.title()",
    ],
)
def test_words_that_are_ours_or_made_text_are_left_alone(line: str) -> None:
    text = f"{HEAD}def show(item, items, count, seconds, share, kind):\n    {line}\n"
    text += HELPER * ("_helper" in line)
    assert [str(one) for one in Lint({}).check(read(APP / "snippet.py", text))] == []


def test_streamlit_shows_words_in_no_way_that_is_not_looked_at() -> None:
    """A new release may have another element; then it has to be put on one list or the other."""
    import streamlit as st
    from wordlint import SHOWS

    silent = {
        "App", "area_chart", "balloons", "bar_chart", "bidi_component", "bottom", "cache_data", "cache_resource",
        "columns", "connection", "container", "context", "column_config", "components", "divider", "echo", "empty",
        "experimental_user", "form", "grid", "skeleton", "fragment", "get_option", "help", "line_chart", "login",
        "logout", "map", "navigation", "pagination", "pydeck_chart", "pyplot", "query_params", "rerun",
        "scatter_chart", "secrets", "session_state", "set_option", "set_page_config", "sidebar", "snow", "space",
        "stop", "switch_page", "theme", "user", "bokeh_chart", "audio_recorder",
    }  # fmt: skip
    known = {name for name in vars(st) if not name.startswith("_") and callable(getattr(st, name)) and name.islower()}
    assert known - silent - set(SHOWS) == set()
