"""A daemon with a drive of many files, for the benchmarks of this folder."""
import os, signal, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAIRN = os.environ.get("CAIRN_BIN", os.path.join(ROOT, "cairn"))
PER_FOLDER = 500


class Daemon:
    def __init__(self, work):
        self.home, self.mount = f"{work}/home", f"{work}/drive"
        os.makedirs(self.mount)
        self.process = None

    def cairn(self, *argv):
        p = subprocess.run([CAIRN, "--home", self.home, *argv], capture_output=True, text=True)
        if p.returncode:
            sys.exit(f"cairn {' '.join(argv)}: {p.stderr}{p.stdout}")
        return p.stdout

    def up(self):
        self.process = subprocess.Popen([CAIRN, "--home", self.home, "up", "--no-announce"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self, how):
        self.process.send_signal(how)
        self.process.wait(60)
        subprocess.run(["umount", "-l", self.mount], stderr=subprocess.DEVNULL)

    def cpu_s(self):
        f = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        return next(int(l.split()[1]) / 1024 for l in open(f"/proc/{self.process.pid}/status") if l.startswith("VmRSS:"))


def fill_by_engine(d, files):
    d.stop(signal.SIGTERM)
    micro = os.path.join(ROOT, "bench/Micro")
    subprocess.run(["dotnet", "run", "-c", "Release", "--project", micro, "--", "home", d.home, "bench", str(files)], check=True)
    start(d, files)


def start(d, files):
    """Seconds from the start of the process until the last folder lists in full through the mount."""
    last, want = f"{d.mount}/d{(files - 1) // PER_FOLDER:04d}", (files - 1) % PER_FOLDER + 1
    t0 = time.perf_counter()
    d.up()
    while time.perf_counter() - t0 < 120:
        try:
            if len(os.listdir(last)) == want:
                return time.perf_counter() - t0, d.cpu_s()
        except OSError:
            pass
        time.sleep(.005)
    sys.exit("the drive was not mounted after 120 s")
