"""Which encodings texts of a language are usually in, and which chardet may answer."""

OLD = ("macintosh", "ibm850", "ibm437", "ibm852", "ibm855", "ibm866")  # rare today: without the bonus
WESTERN = ["windows-1252", "macintosh", "ibm850", "ibm437"]
CYRILLIC = ["koi8-r", "koi8-u", "windows-1251", "ibm866", "iso-8859-5", "x-mac-cyrillic"]
CENTRAL = ["windows-1250", "iso-8859-2", "ibm852"]
TURKISH, ARABIC = ["windows-1254", "iso-8859-9"], ["windows-1256", "iso-8859-6"]
BALTIC = ["windows-1257", "iso-8859-13", "iso-8859-4"]
USUAL = {
    "zh": ["gb18030", "big5", "big5-hkscs"],
    "ja": ["shift_jis", "euc-jp", "iso-2022-jp"],
    "ko": ["euc-kr"],
    **dict.fromkeys(["ru", "uk", "be", "bg", "mk", "sr"], CYRILLIC),
    **dict.fromkeys(["pl", "cs", "sk", "hu", "sl", "hr", "bs", "ro", "sq"], CENTRAL),
    "el": ["windows-1253", "iso-8859-7"],
    **dict.fromkeys(["tr", "az"], TURKISH),
    "he": ["windows-1255", "iso-8859-8"],
    **dict.fromkeys(["ar", "fa", "ur"], ARABIC),
    **dict.fromkeys(["lt", "lv", "et"], BALTIC),
    "vi": ["windows-1258"],
    "th": ["windows-874", "iso-8859-11"],
}
# What chardet may answer: the encodings above and those that they are taken for.
KNOWN = [
    "gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949", "koi8-r", "koi8-u", "cp866", "cp855", "mac-cyrillic",
    "cp437", "cp850", "cp852", "cp874", "mac-roman", *(f"cp{n}" for n in range(1250, 1259)),
    *(f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)),
]  # fmt: skip
NAMES = {"big5hkscs": ["big5", "big5-hkscs"], "euc_jis_2004": ["euc-jp"]}
