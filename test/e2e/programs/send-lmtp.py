"""send-lmtp.py PORT FROM TO FILE...: sends each file as it is by Python's smtplib.LMTP, in turn."""
import smtplib
import sys

port, sender, recipient, files = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
with smtplib.LMTP("127.0.0.1", port, timeout=60) as session:
    for name in files:
        with open(name, "rb") as file:
            refused = session.sendmail(sender, [recipient], file.read(), mail_options=["BODY=8BITMIME"])
        if refused:
            sys.exit(f"{name}: refused {refused}")
