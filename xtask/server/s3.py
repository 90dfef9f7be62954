"""An object storage: moto's S3, whose one memory is served over https, which hydra requires, and over http, for readers.

    s3.py HTTP_PORT HTTPS_PORT CERTIFICATE BUCKET

The certificate, with its key, is made where there is none.
"""

import datetime
import ipaddress
import os
import sys
import threading
import urllib.request

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

HOST = "127.0.0.1"


def make_certificate(path):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM) + private)


def main(http_port, https_port, certificate, bucket):
    if not os.path.exists(certificate):
        make_certificate(certificate)
    app = DomainDispatcherApplication(create_backend_app)
    servers = [
        make_server(HOST, int(http_port), app, threaded=True),
        make_server(HOST, int(https_port), app, threaded=True, ssl_context=(certificate, certificate)),
    ]
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    direct.open(urllib.request.Request(f"http://{HOST}:{http_port}/{bucket}", method="PUT"))
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:5])
