#!/usr/bin/env python3
"""Makes the containers of the demo tree from its other files: packed/tools.zip and mail/invoice.eml.

Run it after a change of what is inside; the result is the same every time. Nothing but Python's library is needed.
"""
import base64
import io
import pathlib
import zipfile

SOURCE = pathlib.Path(__file__).parent / "source"


def content(path):
    return base64.b64decode((SOURCE / (path + ".b64")).read_text())


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name, (2026, 11, 2, 9, 30, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def lines(data):
    return base64.encodebytes(data).decode()


def place(path, data):
    target = SOURCE / (path + ".b64")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(lines(data))


tools = archive(
    [
        ("tools/readme.txt", b"Notes on the tools in this folder.\n"),
        ("tools/rs.py", content("linux/tmp/.x/rs.py")),
        ("tools/up.zip", archive([("up.php", content("web/var/www/html/tools/up.php"))])),
    ]
)
place("packed/tools.zip", tools)

attachment = archive([("invoice.pdf.js", content("win/C/Users/alice/Downloads/invoice.pdf.js"))])
message = f"""Received: from mail.evil-demo.example (203.0.113.45) by mx.demo.example; Mon, 2 Nov 2026 09:31:00 +0000
From: =?utf-8?q?Accounts_P=C3=A4yable?= <accounts@evil-demo.example>
To: alice@demo.example
Subject: Invoice
Date: Mon, 2 Nov 2026 09:30:55 +0000
Message-ID: <20261102093055.1@evil-demo.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="demo-boundary"

--demo-boundary
Content-Type: text/plain; charset=utf-8

Please find the invoice attached.
--demo-boundary
Content-Type: application/zip
Content-Disposition: attachment; filename*=utf-8''invoice%202026.zip
Content-Transfer-Encoding: base64

{lines(attachment)}--demo-boundary--
"""
place("mail/invoice.eml", message.encode())
