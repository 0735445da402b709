"""HTML of anyone's: what is let through, what is not, in every disguise that the tests know."""

from __future__ import annotations

import pytest

from cnnviz_widgets.export.clean import clean_html
from tests.export.pages import Parts

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src='javascript:alert(1)'>",
    "<a href='javascript:alert(1)'>go</a>",
    "<a href=' &#106;avascript:alert(1)'>go</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>go</a>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<math href='javascript:alert(1)'><mtext><img src=x onerror=alert(1)></mtext></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<form action='https://evil.example'><button>go</button></form>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>body{background:url(https://evil.example)}</style>",
    "<p style='background:url(https://evil.example)'>x</p>",
    "<object data='x'></object><embed src=x>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<table><td background='javascript:alert(1)'>x</td></table>",
    "<div id=cnnviz-data data-cnnviz-model=w0>x</div>",
    "<div class='page-widget cnnviz'>x</div>",
    "<p><![CDATA[<script>alert(1)</script>]]></p>",
]


HARMLESS = set("p a img math mi mtext details summary table tbody tr td div".split())  # noqa: SIM905


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_left_that_could_run_or_call_home(attack: str) -> None:
    cleaned = clean_html(attack)
    for tag, attributes in Parts(cleaned).elements:
        assert tag in HARMLESS
        assert set(attributes) <= {"class", "open", "rel", "style", "tabindex"}, cleaned
        assert not attributes.get("class")
        assert "url" not in str(attributes)
    assert "evil.example" not in cleaned


@pytest.mark.parametrize(
    "kept",
    [
        "<details><summary>Why?</summary><p>Because.</p></details>",
        '<table tabindex="0"><tbody><tr><td style="text-align:right">1</td></tr></tbody></table>',
        "<p>H<sub>2</sub>O <em>and</em> <strong>more</strong> <code>x</code></p>",
        '<h2 id="section-Two">Two</h2>',
        '<p><a href="https://arxiv.org/abs/1610.02391" rel="noopener noreferrer">paper</a></p>',
        '<p><a href="02_next.ipynb" rel="noopener noreferrer">next</a></p>',
        '<img alt="a" src="data:image/png;base64,AAAA">',
        '<img src="data:image/png;base64,AAAA" style="image-rendering:pixelated;width:96px">',
        "<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>",
        '<div class="alert alert-info"><b>Tip</b></div>',
    ],
)
def test_what_a_teacher_writes_stays(kept: str) -> None:
    assert clean_html(kept) == kept


def test_pictures_are_found_by_their_names() -> None:
    found = clean_html(
        "<img src='a.png'><img src='b.png'>", {"a.png": "data:image/png;base64,AA"}.get
    )
    assert [each.get("src") for each in Parts(found).of("img")] == [
        "data:image/png;base64,AA",
        None,
    ]


@pytest.mark.parametrize(
    "html",
    [
        '<iframe width="5" src="https://e.example/v?a=1" allowfullscreen></iframe>',
        "<video controls><source src=https://e.example/v?a=1 type='video/mp4'></video>",
        "<IFRAME SRC='https://e.example/v?a=1' onload=alert(1)>",
    ],
)
def test_films_from_elsewhere_are_links(html: str) -> None:
    parts = Parts(clean_html(html))
    assert parts.elements == [
        ("a", {"href": "https://e.example/v?a=1", "rel": "noopener noreferrer"})
    ]
    assert "https://e.example/v?a=1" in parts.text


def test_colours_are_those_of_the_readers_theme() -> None:
    black = (
        '<p style="color:black">a <span style="color:black">b</span> <font color="#000">c</font>'
    )
    assert clean_html(black) == "<p>a <span>b</span> c</p>"


def test_ids_of_the_page_cannot_be_taken() -> None:
    assert clean_html('<h2 id="cnnviz-data">x</h2><p id="a">y</p>') == "<h2>x</h2><p>y</p>"
