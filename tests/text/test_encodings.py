import pytest

from similarity.text.encodings import NAMES_OF_ZIPS, WINDOWS, likeliest
from similarity.text.unicode import forms, nfc

ALONE = {
    "cp932": ["結婚式/新郎.jpg", "京都旅行/金閣寺.jpg", "バッグ/革.jpg", "傘.jpg", "眼鏡/眼鏡1.jpg", "鞋.jpg"],
    "gb18030": ["婚礼/新娘.jpg", "旅游照片/长城.jpg", "连衣裙/粉色.jpg", "雨伞.jpg", "裤子.jpg"],
    "big5": ["婚禮/新娘.jpg", "旅遊照片/長城.jpg", "洋裝/粉紅.jpg", "雨傘.jpg", "褲子.jpg"],
    "cp949": ["결혼식/신랑.jpg", "스크린샷.png", "원피스/분홍.jpg", "우산.jpg", "바지.jpg"],
    "cp866": ["Свадьба/жених.jpg", "Снимок экрана.png", "зонт.jpg", "Брюки.jpg"],
    "cp1251": ["Свадьба/жених.jpg", "Снимок экрана.png", "зонт.jpg", "Брюки.jpg"],
    "cp850": ["Kühlschrank.jpg", "Äpfel/süß.jpg", "garçon/forêt.jpg", "mañana.jpg", "smörgås.jpg"],
    "cp1252": ["Kühlschrank.jpg", "Äpfel/süß.jpg", "garçon/forêt.jpg", "mañana.jpg", "smörgås.jpg"],
}
TOGETHER = {
    "cp852": ["košile/červená.jpg", "płaszcz/żółty.jpg", "háromszög/kör.jpg"],
    "cp1250": ["košile/červená.jpg", "płaszcz/żółty.jpg", "háromszög/kör.jpg"],
    "cp737": ["φόρεμα/ροζ.jpg", "ομπρέλα.jpg", "ρολόι.jpg"],
    "cp1253": ["φόρεμα/ροζ.jpg", "ομπρέλα.jpg", "ρολόι.jpg"],
    "cp1255": ["שמלה/ורוד.jpg", "מטריה.jpg"],
    "cp1256": ["فستان/وردي.jpg", "مظلة.jpg"],
    "cp874": ["ชุด/สีชมพู.jpg", "ร่ม.jpg", "นาฬิกา.jpg"],
    "cp1254": ["elbise/pembe çiçek.jpg", "şemsiye.jpg", "gözlük/güneş.jpg"],
}


@pytest.mark.many
@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in ALONE.items() for name in names])
@pytest.mark.parametrize("candidates", [NAMES_OF_ZIPS, WINDOWS + NAMES_OF_ZIPS])
def test_a_single_name_tells_the_common_code_pages_apart(page: str, name: str, candidates: tuple[str, ...]) -> None:
    data = name.encode(page)
    assert data.decode(likeliest([data], candidates)) == name


@pytest.mark.parametrize("page", TOGETHER)
def test_a_few_names_tell_the_others_apart(page: str) -> None:
    data = [name.encode(page) for name in TOGETHER[page]]
    found = likeliest(data, NAMES_OF_ZIPS)
    assert [name.decode(found) for name in data] == TOGETHER[page]


def test_bytes_that_are_no_text_have_an_encoding_that_decodes_them() -> None:
    data = bytes(range(256))
    assert data.decode(likeliest([data], NAMES_OF_ZIPS))


def test_composed_and_decomposed_text_is_the_same() -> None:
    assert nfc("Ko\u0308ln") == "K\u00f6ln"
    assert forms("K\u00f6ln") == ["K\u00f6ln", "Ko\u0308ln"]
    assert forms("plain") == ["plain"]
