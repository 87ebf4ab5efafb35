# SPDX-License-Identifier: MIT
# Keys of PCR policies, made by openssl, and openssl as the second opinion on signatures.
import base64
import hashlib
import pathlib
import subprocess

# The RSA key of the vectors (e = 65537), by its primes.
VECTOR_PRIMES = (
    0xec5a334192cd20f8dc0b482c4d501f7238d1635626f4ad7c4faabecc76ae87558092289f8d78b5328b5b439db399e6127f4e95b7e9b2a370ccc6cdcbcb1b8d9441bf1f4a3af3ba3334452f16851d0a6359a98adfa7ddb8dedc62355cb88a0e1088c8bdd82ce68fabd3d6b109cac1d26a33949415c1b9b3ea4923d15998d0a387,
    0xd1c7a46b7184b0c35d6c52f7559232729028532bff4180922e249ec95debea3199aaca0204e0bf4bf501a48598aadbc80b2570e7cdf156d6af0c8f99df39651ac37b71ccf2c73faa86eb8c9540a74f5e34a98125115a2fa28f63a0b35eb659a3ff85e6055d975881a08f850589bbc0d71e18d156158204d0699b3caa63988021)
VECTOR_FINGERPRINT = "427917016742d4f18eda351d973796175ea21aa24b52014cd5fde8dde21dd970"


def openssl(*arguments, **more):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_key(path, *, bits=2048, algorithm="RSA"):
    option = f"rsa_keygen_bits:{bits}" if algorithm == "RSA" else "ec_paramgen_curve:P-256"
    openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", path)
    return path


def vector_key(path):
    p, q = VECTOR_PRIMES
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = [0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    text = path.with_suffix(".cnf")
    text.write_text("asn1=SEQUENCE:key\n[key]\n" + "".join(f"n{i}=INTEGER:{n}\n" for i, n in enumerate(numbers)))
    openssl("asn1parse", "-genconf", text, "-noout", "-out", path.with_suffix(".der"))
    openssl("rsa", "-inform", "DER", "-in", path.with_suffix(".der"), "-out", path)
    return path


def public_of(private, path=None):
    path = path or private.with_suffix(".pub")
    path.write_bytes(openssl("pkey", "-in", private, "-pubout"))
    return path


def certificate_of(private, path=None):
    path = path or private.with_suffix(".crt")
    openssl("req", "-x509", "-key", private, "-subj", "/CN=test", "-days", "30", "-out", path)
    return path


def fingerprint_of(private):
    """SHA-256 of the PKCS#1 public key."""
    return hashlib.sha256(openssl("rsa", "-in", private, "-RSAPublicKey_out", "-outform", "DER")).hexdigest()


def verify(public, data, signature):
    """By openssl: RSA PKCS#1 v1.5 with SHA-256 over `data`."""
    pathlib.Path("verify.data").write_bytes(data)
    pathlib.Path("verify.sig").write_bytes(base64.b64decode(signature, validate=True))
    openssl("dgst", "-sha256", "-verify", public, "-signature", "verify.sig", "verify.data")


def sign(private, data):
    pathlib.Path("sign.data").write_bytes(data)
    return base64.b64encode(openssl("dgst", "-sha256", "-sign", private, "sign.data")).decode()
