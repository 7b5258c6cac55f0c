"""Syncthing as the baseline of bench/Pool/pool: as many instances on loopback, a full mesh that shares one folder.

A node has what the benchmark asks of a Cairn node: `mount` (a plain folder here), `cpu`, `down`. A file stands in the others'
folders under its name when all of it is there: Syncthing writes to a temporary name first.
"""
import json, os, re, shutil, signal, socket, subprocess, sys, time, urllib.request

HZ = os.sysconf("SC_CLK_TCK")
KEY = "bench"
OPTIONS = ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled", "crashReportingEnabled", "startBrowser")


def is_installed():
    return shutil.which("syncthing") is not None


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Node:
    def __init__(self, work, i, port, api_port):
        self.home, self.mount = f"{work}/syncthing{i}", f"{work}/folder{i}"
        self.port, self.api_port, self.process = port, api_port, None
        os.makedirs(f"{self.mount}/.stfolder")
        self.env = dict(os.environ, STNOUPGRADE="1", STNODEFAULTFOLDER="1", HOME=work)
        subprocess.run(["syncthing", "generate", "--home=" + self.home, "--no-default-folder", "--skip-port-probing"],
                       env=self.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(f"{self.home}/config.xml") as config:
            self.device = re.search(r'<device id="([A-Z0-9-]{63})"', config.read()).group(1)

    def configure(self, nodes):
        devices = "".join(f'<device id="{n.device}"><address>tcp://127.0.0.1:{n.port}</address></device>' for n in nodes)
        members = "".join(f'<device id="{n.device}"></device>' for n in nodes)
        options = "".join(f"<{name}>false</{name}>" for name in OPTIONS)
        with open(f"{self.home}/config.xml", "w") as config:
            config.write(
                f'<configuration version="36"><folder id="bench" path="{self.mount}" type="sendreceive" '
                f'rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">{members}</folder>{devices}'
                f'<gui enabled="true" tls="false"><address>127.0.0.1:{self.api_port}</address><apikey>{KEY}</apikey></gui>'
                f"<options><listenAddress>tcp://127.0.0.1:{self.port}</listenAddress>{options}<urAccepted>-1</urAccepted>"
                "<autoUpgradeIntervalH>0</autoUpgradeIntervalH></options></configuration>")

    def up(self):
        self.process = subprocess.Popen(
            ["syncthing", "serve", "--home=" + self.home, "--no-browser", "--no-restart", f"--logfile={self.home}/log"],
            env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def down(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def connections(self):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}/rest/system/connections", headers={"X-API-Key": KEY})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return sum(c["connected"] for c in json.load(answer)["connections"].values())
        except OSError:
            return 0

    def cpu(self):
        """CPU seconds of the instance: a watcher and the worker it started."""
        ticks = 0
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    f = stat.read().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if entry == str(self.process.pid) or f[1] == str(self.process.pid):
                ticks += int(f[11]) + int(f[12])
        return ticks / HZ

    def wait_safe(self, path, limit):
        """What is in every folder is as safe as it gets: there is nothing to ask."""


def start(work, count):
    ports = free_ports(2 * count)
    nodes = [Node(work, i, ports[2 * i], ports[2 * i + 1]) for i in range(count)]
    for n in nodes:
        n.configure(nodes)
        n.up()
    deadline = time.monotonic() + 60
    while any(n.connections() < count - 1 for n in nodes):
        if time.monotonic() > deadline:
            for n in nodes:
                n.down()
            sys.exit("the Syncthing instances did not all connect within 60 s; their logs are in " + work)
        time.sleep(.2)
    time.sleep(3)  # the first scan and the watchers
    return nodes
