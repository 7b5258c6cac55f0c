"""Daemons on loopback with a drive mounted each, for the benchmarks of this folder."""
import http.client, json, os, signal, socket, subprocess, sys, time, urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAIRN = os.path.join(ROOT, "cairn")
HZ = os.sysconf("SC_CLK_TCK")


class Api(http.client.HTTPConnection):
    """HTTP over a daemon's control socket."""

    def __init__(self, home):
        super().__init__("cairn")
        self.path = os.path.join(home, "control.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Node:
    def __init__(self, work, i):
        self.home, self.mount = f"{work}/node{i}", f"{work}/drive{i}"
        os.makedirs(self.mount)
        self.process = None

    def cairn(self, *argv):
        p = subprocess.run([CAIRN, "--home", self.home, *argv], capture_output=True, text=True)
        if p.returncode:
            sys.exit(f"cairn {' '.join(argv)}: {p.stderr}{p.stdout}")
        return p.stdout.strip()

    def up(self):
        self.process = subprocess.Popen([CAIRN, "--home", self.home, "up", "--no-announce"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                api = Api(self.home)
                api.request("GET", "/v1/ping")
                if api.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(.05)
        sys.exit(f"{self.home}: the daemon does not answer")

    def down(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
            subprocess.run(["umount", "-l", self.mount], stderr=subprocess.DEVNULL)

    def cpu(self):
        f = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(f[11]) + int(f[12])) / HZ

    def rss_mib(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024

    def wait_safe(self, path, limit):
        api = Api(self.home)
        api.timeout = limit
        api.request("GET", "/v1/wait-safe?path=" + urllib.parse.quote(path))
        last = None
        for line in api.getresponse():
            if line.strip():
                last = json.loads(line)
        if not last or not (last.get("progress") or {}).get("isSafe"):
            sys.exit(f"not safe: {last}")


def found(nodes, work, space):
    """A pool of them, with a volume 'bench' that each has mounted."""
    nodes[0].cairn("init", "--space", space, "--name", "n0", "--listen", "127.0.0.1:0", "--kit", f"{work}/kit")
    nodes[0].up()
    for i, n in enumerate(nodes[1:], 1):
        n.cairn("join", nodes[0].cairn("invite", "-q"), "--space", space, "--name", f"n{i}", "--listen", "127.0.0.1:0")
        n.up()
    nodes[0].cairn("volume", "create", "bench")
    for n in nodes:
        n.cairn("mount", "bench", n.mount, "--wait", "20")
        n.cairn("wait", "--online", str(len(nodes)), "--timeout", "30")
