# ruff: noqa: E501, RUF001
"""How files in other encodings than UTF-8 are read: `python -m benchmarks.encodings [FILES]`.

Each made file is source code with one to six comments in a language, from a word to some sentences, in one of the
encodings that people write this language in. A file counts as read when its text is the same, or when only letters
that are not ASCII differ and every byte stands for one letter, so that words keep their length and code its letters.
"""

from __future__ import annotations

import random
import sys
from collections import Counter

from askrepo.files.decode import decode
from askrepo.files.encodings import WIDE

# Written for this purpose: words, then sentences.
SENTENCES = {
    "Chinese": "注释 参数 用户名 读取文件 初始化数据 这里需要修改 返回查询结果 如果连接失败则重试三次 "
    "注意：这个函数不是线程安全的，请不要在多个线程里同时调用 把输入的字符串按照空格分开，然后逐个处理 "
    "版权所有，未经允许不得使用 这段代码负责计算订单的总价格，包括运费和折扣 临时解决办法，以后要重写",
    "Taiwanese": "註解 參數 使用者名稱 讀取檔案 初始化資料 這裡需要修改 傳回查詢結果 如果連線失敗就再試三次 "
    "注意：這個函式不是執行緒安全的，請不要同時呼叫 把輸入的字串依照空白分開，然後逐一處理 "
    "版權所有，未經許可不得使用 這段程式負責計算訂單的總價，包含運費與折扣 暫時的解法，以後要改寫",
    "Japanese": "コメント 引数 ユーザー名 ファイルを読み込む データの初期化 ここを修正する 結果を返す 接続に失敗したら三回まで再試行する "
    "注意：この関数はスレッドセーフではありません。 入力された文字列を空白で分割し、順番に処理します。 "
    "著作権は作者にあります。無断使用を禁じます。 注文の合計金額を計算する。送料と割引を含む。 とりあえずの対応なので後で書き直す",
    "Korean": "주석 매개변수 사용자 이름 파일을 읽는다 데이터 초기화 여기를 수정해야 한다 결과를 돌려준다 연결에 실패하면 세 번까지 다시 시도한다 "
    "주의: 이 함수는 여러 스레드에서 동시에 부르면 안 됩니다. 입력된 문자열을 공백으로 나누어 차례대로 처리합니다. "
    "저작권은 작성자에게 있습니다. 주문의 총 가격을 계산한다. 배송비와 할인을 포함한다. 임시 해결책이므로 나중에 다시 작성할 것",
    "Russian": "комментарий параметр имя_пользователя Чтение файла Инициализация данных здесь нужно исправить "
    "Возвращает результат запроса ВНИМАНИЕ: эта функция небезопасна при вызове из нескольких потоков "
    "Строка разбивается по пробелам, затем обрабатывается каждое слово. Все права защищены. Временное решение, потом переписать",
    "Greek": "σχόλιο παράμετρος όνομα χρήστη Ανάγνωση αρχείου αρχικοποίηση δεδομένων εδώ χρειάζεται διόρθωση Επιστρέφει το αποτέλεσμα "
    "Προσοχή: αυτή η συνάρτηση δεν είναι ασφαλής όταν καλείται από πολλά νήματα. Προσωρινή λύση",
    "German": "Größe Übergabe für Schlüssel löschen Prüft, ob die Länge größer als null ist Achtung: nicht gleichzeitig ausführen "
    "Gibt den übergebenen Wert zurück; früher hieß das Änderung. überflüssig",
    "French": "paramètre créé à la volée Vérifie que la clé a été trouvée Attention : cette méthode n'est pas protégée "
    "Renvoie la chaîne découpée après chaque espace. déjà élève",
    "Polish": "błąd ścieżka użytkownik Odczyt pliku źródłowego Uwaga: ta funkcja nie może być wywołana równocześnie z wielu wątków. "
    "Zwraca żądaną wartość; później należy to zmienić.",
}  # fmt: skip
ENCODINGS = (
    ("Chinese", "utf-8"), ("Japanese", "utf-8-sig"), ("Russian", "utf-16"), ("Korean", "utf-16-le"),
    ("German", "utf-16-be"), ("Chinese", "gbk"), ("Chinese", "gb18030"), ("Taiwanese", "big5"), ("Japanese", "cp932"),
    ("Japanese", "euc_jp"), ("Korean", "euc_kr"), ("Russian", "cp1251"), ("Russian", "koi8-r"), ("Russian", "cp866"),
    ("Greek", "cp1253"), ("German", "cp1252"), ("French", "latin-1"), ("Polish", "cp1250"), ("Polish", "iso8859-2"),
)  # fmt: skip
CODE = (
    "#include <stdio.h>\n", "int main(int argc, char **argv) {\n", "    return 0;\n", "}\n", "def run(self, name):\n",
    "    value = table[name] + 1\n", "if (x == NULL) return -1;\n", 'printf("%d items, total %s", n, sum);\n',
    "public class Order extends Base {\n", "for i in range(10):\n", "    print(i)\n", "\n", "const a = {b: 1, c: 'text'};\n",
)  # fmt: skip


def made_file(language: str, encoding: str, seed: int) -> tuple[str, bytes]:
    """A text and its bytes."""
    chance = random.Random(f"{language} {encoding} {seed}")
    lines = [chance.choice(CODE) for _ in range(chance.randrange(5, 60))]
    words = SENTENCES[language].split()
    for _ in range(chance.choice((1, 1, 1, 2, 6))):
        at = chance.randrange(len(words))
        comment = " ".join(words[at : at + chance.choice((1, 1, 2, 5, 12))])
        style = chance.choice(("// {}\n", "# {}\n", "/* {} */\n", "x = 1  // {}\n", "<!-- {} -->\n", 'print("{}");\n'))
        lines.insert(chance.randrange(len(lines)), style.format(comment))
    text = "".join(lines)
    return text, text.encode(encoding)


def verdict(text: str, content: bytes) -> str:
    """How the bytes were read: "same", "harmless", "wrong", or why they were not."""
    decoded = decode(content, path="a.c", language="c")
    if decoded.reason is not None:
        return decoded.reason
    if decoded.text == text:
        return "same"
    return "harmless" if decoded.encoding not in WIDE and _ascii(decoded.text) == _ascii(text) else "wrong"


def lost_ascii(text: str, content: bytes) -> bool:
    """Whether letters of ASCII are missing from what was read."""
    wanted, read = Counter(_ascii(text)), Counter(_ascii(decode(content, path="a.c", language="c").text))
    return bool(wanted - read)


def _ascii(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii())


def main(files: int) -> None:
    verdicts: dict[tuple[str, str], Counter[str]] = {pair: Counter() for pair in ENCODINGS}
    lost = 0
    for number in range(files):
        pair = ENCODINGS[number % len(ENCODINGS)]
        text, content = made_file(*pair, number)
        verdicts[pair][verdict(text, content)] += 1
        lost += lost_ascii(text, content)
    for (language, encoding), counts in verdicts.items():
        print(f"{language:10} {encoding:10} {dict(counts.most_common())}")
    total = sum(verdicts.values(), Counter())
    good = total["same"] + total["harmless"]
    print(f"{files} files: {good / files:.2%} read ({total['same']} the same), {lost} lost letters of ASCII")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
