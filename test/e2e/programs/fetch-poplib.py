"""fetch-poplib.py PORT implicit|starttls CERTIFICATE USER PASSWORD FOLDER NUMBER...: fetches the messages by poplib."""
import os
import poplib
import ssl
import sys

port, mode, certificate, user, password, folder = int(sys.argv[1]), *sys.argv[2:7]
context = ssl.create_default_context(cafile=certificate)
if mode == "implicit":
    session = poplib.POP3_SSL("localhost", port, context=context, timeout=60)
else:
    session = poplib.POP3("localhost", port, timeout=60)
    session.stls(context)
session.user(user)
session.pass_(password)
for number in map(int, sys.argv[7:]):
    lines = session.retr(number)[1]
    with open(os.path.join(folder, str(number)), "wb") as file:
        file.write(b"".join(line + b"\r\n" for line in lines))
session.quit()
