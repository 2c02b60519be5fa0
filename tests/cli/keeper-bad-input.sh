#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whatever is sent to a keeper: it answers or hangs up, and the hold does not suffer.  Says how many messages were tried.
. "$(dirname "$0")/lib.sh"

export HOLDFAST_RUNTIME_DIR=$TMP/run
scratch 2 || scratch 1 || leave_out "no freezer in which a cgroup can be made"
busy
run hold -d -q --name target "$CG"
expect 0 ""
cat > "$TMP/attack.py" <<'END'
import json, os, random, select, socket, sys, time

path, patience = sys.argv[1], float(sys.argv[2])
random.seed(20261130)
PREFIX = "org.holdfast.Hold."
tried = answered = dropped = 0

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(patience)
    s.connect(path)
    return s

def reply(s):
    """The next message, or the first of several; None when the other side hung up."""
    text = b""
    while b"\0" not in text:
        try:
            chunk = s.recv(1 << 20)
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        text += chunk
    return json.loads(text[:text.index(b"\0")])

def send(s, text):
    try:
        s.sendall(text)
    except (BrokenPipeError, ConnectionResetError):
        pass

def call(s, method, **parameters):
    send(s, json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
    return reply(s)

def well():
    s = connect()
    info = call(s, PREFIX + "Info")["parameters"]["info"]
    s.close()
    assert info["held"] == 1 and info["died"] == 0, info

def attempt(text):
    """Anything goes but to crash, to hang, or to release."""
    global tried, answered, dropped
    s = connect()
    send(s, text)
    s.shutdown(socket.SHUT_WR)
    tried += 1
    r = reply(s)
    if r is None:
        dropped += 1
    else:
        assert "error" in r or "parameters" in r, r
        answered += 1
    s.close()

def is_error(text, name):
    s = connect()
    send(s, text)
    r = reply(s)
    assert r and r.get("error", "").endswith(name), (text[:80], r)
    s.close()

# Wrong in known ways: each gets the error that the protocol has for it.
for bad in (b"\0", b"{}\0", b"[]\0", b"null\0", b"1\0", b'"x"\0', b"{\0", b"\xff\xfe\0", b'{"method":1}\0', b'{"method":null}\0',
            b'{"method":"a.b","parameters":[]}\0', b'{"method":"a.b","oneway":1}\0', b"[" * 100 + b"\0",
            b'{"method":"a.b"} x\0'):
    is_error(bad, ".BadMessage")
is_error(b"x" * 20000, ".BadMessage")
is_error(b'{"method":"' + b"a" * 17000 + b'"}\0', ".BadMessage")
for method in ("", "x", "a.b", "org.holdfast", "org.holdfast.Hol.Info", "a" * 200, "a" * 100 + "." + "b" * 100):
    is_error(json.dumps({"method": method}).encode() + b"\0", ".InterfaceNotFound")
for method in ("org.holdfast.Hold.", "org.holdfast.Hold.info", "org.varlink.service.X"):
    is_error(json.dumps({"method": method}).encode() + b"\0", ".MethodNotFound")
wrong = [None, True, -1, 0, 1 << 40, 1.5, "", "x", [], {}]
for method, key, right in (("Extend", "ms", (0, )), ("Pidfd", "pid", ()), ("Release", "how", ()), ("Format", "format", ())):
    for value in wrong:
        if value in right and value is not True and value is not False:
            continue
        s = connect()
        r = call(s, PREFIX + method, **{key: value})
        assert r["error"].endswith((".InvalidParameter", ".NoSuchProcess")), (method, value, r)
        s.close()
well()

# Half a message, and the rest later; many in one; one that wants no reply; a client that leaves in the middle.
s = connect()
for byte in b'{"method":"org.holdfast.Hold.Info"}\0':
    send(s, bytes([byte]))
assert "info" in reply(s)["parameters"]
send(s, b'{"method":"org.varlink.service.GetInfo","oneway":true}\0' * 5 + b'{"method":"org.holdfast.Hold.Info"}\0')
assert "info" in reply(s)["parameters"]
send(s, b'{"method":"org.holdfast.Hold.Info"}\0' * 50)
buffer = b""
while buffer.count(b"\0") < 50:
    buffer += s.recv(1 << 20)
s.close()
for cut in range(0, 36, 5):
    s = connect()
    send(s, b'{"method":"org.holdfast.Hold.Tree"}\0'[:cut])
    s.close()

# A client that never reads, while others are served; and a hundred clients, of whom the silent ones lose their places.
mute = connect()
mute.setblocking(False)
try:
    for _ in range(20000):
        mute.send(b'{"method":"org.holdfast.Hold.Tree"}\0')
except BlockingIOError:
    pass
well()
crowd = [connect() for _ in range(100)]
well()
served = 0
for s in crowd:
    try:
        send(s, b'{"method":"org.holdfast.Hold.Info"}\0')
        served += reply(s) is not None
    except ConnectionError:
        pass
assert served >= 32, served
for s in crowd:
    s.close()
mute.close()
well()

# Garbage, and calls with a few bytes changed.
seeds = [json.dumps({"method": PREFIX + m, "parameters": p}).encode() + b"\0" for m, p in (
    ("Info", {}), ("Tree", {}), ("Threads", {}), ("Format", {"format": "text", "pretty": True, "effects": True}), ("Extend", {"ms": 3600000}), ("Pidfd", {"pid": 1}),
    ("Releas", {"how": "run"}))]
end = time.monotonic() + 5
while time.monotonic() < end or tried < 500:
    if random.random() < 0.3:
        text = os.urandom(random.randrange(1, 300))
    else:
        text = bytearray(random.choice(seeds))
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(len(text))
            what = random.randrange(3)
            if what == 0:
                text[at] = random.randrange(256)
            elif what == 1:
                del text[at]
            else:
                text[at:at] = os.urandom(random.randrange(1, 9))
            if not text:
                break
    # Not by chance the one word that ends the hold, nor a time so short that it does.
    if b"Release" in text or b"Extend" in text and random.random() < 0.9:
        continue
    attempt(bytes(text))
    s = connect()
    call(s, PREFIX + "Extend", ms=3600000)
    s.close()
well()
print(f"{tried} messages tried: {answered} answered, {dropped} dropped")
END
python3 "$TMP/attack.py" "$TMP/run/target.sock" "$PATIENCE" > "$TMP/out" 2> "$TMP/err" || fail "$(cat "$TMP/out")"
cat "$TMP/out"
must_stand
run release target
expect 0 ""
must_be_free
