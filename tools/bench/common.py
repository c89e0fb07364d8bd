"""Shared code of the benchmarks in this folder: networks with made weights, starting and ending programs, load,
memory, medians and goals.

When a `with` block ends, for any reason, the program that it started is ended by its own pid. SIGTERM and SIGHUP end
a benchmark like Ctrl-C.

    YOLOD_TEST_DATA   where synthetic/ and photos/ are; ../shared/data beside the checkout by default
"""
import argparse
import atexit
import contextlib
import http.client
import importlib.util
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
data = pathlib.Path(os.environ.get("YOLOD_TEST_DATA", root.parent / "shared/data"))
photo = data / "photos/dog.jpg"
# The script needs NumPy. If this Python has no NumPy, use the distribution's Python.
python = sys.executable if importlib.util.find_spec("numpy") else "/usr/bin/python3"
median = statistics.median
mean = statistics.mean


class Parser(argparse.ArgumentParser):
    """Brings the `programs` in --bin up to date, or ends the benchmark and says why it cannot."""

    programs = ()

    def parse_args(self, *arguments, **named):
        options = super().parse_args(*arguments, **named)
        for name in self.programs:
            if subprocess.run([root / "tools/bench/build_program", options.bin, name]).returncode != 0:
                sys.exit(2)
        return options


def parser(documentation, *programs):
    """Returns a parser with --bin, which every benchmark has. `programs` are the names that the benchmark needs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit("ended by SIGHUP"))
    made = Parser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.programs = programs
    made.add_argument("--bin", type=pathlib.Path, default=root / "build/release", help="where the programs are")
    return made


def need_program(name, where):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if not found:
        fail(f"{name} is not installed: {where}", 2)
    return found


def need_descriptors(count):
    """Raises the limit for this process and the processes that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
    except (ValueError, OSError):
        fail(f"{count} open files are needed, and {hard} allowed: raise the limit (ulimit -Hn)", 2)


def milliseconds(duration):
    """Returns the milliseconds of a time in the config's notation."""
    value, unit = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", duration).groups()
    return float(value) * {"ms": 1, "s": 1000, "m": 60_000}[unit]


def fail(message, status=1):
    progress("")
    print(message, file=sys.stderr)
    sys.exit(status)


def progress(text):
    """Shows one line in place on a terminal, and nothing elsewhere; "" erases it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def row(*cells):
    """Prints a line of a table; a cell is (value, width) or (value, width, format)."""
    progress("")
    print("  ".join(f"{cell[0]:>{cell[1]}{cell[2] if len(cell) > 2 else ''}}" for cell in cells), flush=True)


def processors():
    """Returns ticks since the machine's start: all, busy ones, and those that the host gave to other guests."""
    user, nice, system, idle, wait, interrupt, soft, steal = map(
        int, pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    busy = user + nice + system + interrupt + soft
    return busy + idle + wait + steal, busy, steal


class Goals:
    """Collects the goals and the missed goals. It also measures the other load on the processors since it was made."""

    def __init__(self):
        self.missed = []
        self.before = processors()

    def at_least(self, what, value, least):
        """`least` is None if the user set no goal."""
        if least is not None and not value >= least:
            self.missed.append(f"{what} is {value:.3f}: below the goal of {least:g}")

    def at_most(self, what, value, most):
        if most is not None and not value <= most:
            self.missed.append(f"{what} is {value:.3f}: above the goal of {most:g}")

    def end(self):
        """Call it when every program has ended."""
        whole, busy, stolen = (after - before for before, after in zip(self.before, processors()))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        mine = (processor_us() / 1e6 + usage.ru_utime + usage.ru_stime) * os.sysconf("SC_CLK_TCK")
        print(f"of the processors' time this took {mine / whole:.0%}, others here {max(0, busy - mine) / whole:.0%}, "
              f"other guests of the host {stolen / whole:.0%}")
        if self.missed:
            fail("\n".join(self.missed))


# ---- networks ----


def names_file():
    """Returns a file with the names of 80 classes."""
    names = root / "build/bench/names"
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_text("".join(f"class-{i}\n" for i in range(80)))
    return names


class Network:
    """A network of the test data with made weights, at `size` or the size in its cfg; the files stay in build/bench.
    Few boxes pass the threshold, as with a trained network, because many boxes would have dozens of labels each."""

    def __init__(self, name, size=None):
        folder = data / "synthetic" / name
        if not folder.is_dir():
            fail(f"no test data in {data}: set YOLOD_TEST_DATA", 2)
        made = root / "build/bench"
        made.mkdir(parents=True, exist_ok=True)
        self.weights = made / f"{name}.weights"
        self.cfg = made / f"{name}.{size}.cfg" if size else folder / "net.cfg"
        self.names = names_file()
        if self.weights.exists() and self.cfg.exists():
            return
        progress(f"making the weights of {name}")
        gain = json.loads((folder / "model.json").read_text())["gain"]
        at_size = [str(size), str(size), self.cfg] if size else []
        subprocess.run([python, data / "synthetic/gen_weights.py", folder / "net.cfg", self.weights, *at_size],
                       check=True, env={**os.environ, "OBJ_BIAS": "-7", "GAIN": str(gain)}, stdout=subprocess.DEVNULL)
        progress("")

    def model(self, **settings):
        """Returns the model as an entry of a config's `models`."""
        files = {"cfg": str(self.cfg), "weights": str(self.weights), "names": str(self.names)}
        return {"name": "network", "darknet": files, "detect": {"multi_label": False}, **settings}


# ---- processors ----


def pin(processor, *pids):
    """Lets all threads of these processes run on that processor only; without pids, this process and its later children."""
    for pid in pids or (0,):
        threads = [0] if pid == 0 else [int(one.name) for one in pathlib.Path(f"/proc/{pid}/task").iterdir()]
        for thread in threads:
            os.sched_setaffinity(thread, {processor})


def two_processors():
    """Returns two processors that this process may use, or nothing if there is one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else None


# ---- programs ----


class Program:
    """Runs a program until the end of a `with`, or stop(), with its output in a log. `config` is the text of a file
    whose name becomes the last argument; "{folder}" in the text becomes the file's folder."""

    def __init__(self, arguments, config=None, **popen):
        self.folder = tempfile.TemporaryDirectory(prefix="yolod-bench-")
        self.path = pathlib.Path(self.folder.name)
        self.log = self.path / "log"
        self.config = self.path / "config"
        self.name = pathlib.Path(arguments[0]).name
        if config:
            self.config.write_text(config.replace("{folder}", str(self.path)))
            arguments = [*arguments, self.config]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(arguments, **{"stdout": log, "stderr": log, **popen})
        atexit.register(self.stop)  # where it does not come as far as its `with`

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for(self, pattern, seconds, skip=0):
        """Returns the match of `pattern` in the log after its first `skip` characters."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.log.read_text()[skip:])
            if found:
                return found
            if self.process.poll() is not None:
                fail(f"{self.name} ended:\n{self.log.read_text()}")
            time.sleep(0.0005)
        fail(f"nothing in the log of {self.name} matches {pattern}:\n{self.log.read_text()}")

    def url(self):
        """Returns the address that the program prints."""
        return self.wait_for(r"listening on (http://[^\s/]+)", 60)[1]

    def wait_until_listening(self, port):
        while True:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.process.poll() is not None:
                fail(f"{self.name} ended:\n{self.log.read_text()}")
            time.sleep(0.01)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        self.folder.cleanup()


class Yolod(Program):
    """A yolod server on a free port, whose workers are all ready."""

    def __init__(self, options, models, server=None, key=None, **sections):
        """`key` is an API key with the scope admin; without it the server needs none."""
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        config = {"server": {"listen": ["127.0.0.1:0"], **(server or {})}, **sections, "models": models}
        self.runtime = tempfile.TemporaryDirectory(prefix="yolod-bench-run-")  # for its admin socket
        environment = {**os.environ, "RUNTIME_DIRECTORY": self.runtime.name}
        super().__init__([options.bin / "yolod", "--config"], json.dumps(config), env=environment)  # which is YAML, too
        self.address = self.url()
        self.port = int(self.address.rpartition(":")[2])
        progress("waiting for every model")
        self.wait_for("every model can serve", 600)
        for model in models:
            self.wait_for_workers(model.get("workers", 1), model["name"])
        progress("")

    def ask(self, method, target, body=None):
        """Returns the status and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, target, body, self.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def reload(self):
        """Returns the status and the body of the answer to POST /reload at the admin socket."""
        connection = http.client.HTTPConnection("localhost", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(os.path.join(self.runtime.name, "admin.sock"))
        connection.request("POST", "/reload")
        answer = connection.getresponse()
        return answer.status, answer.read()

    def get(self, method, target, body=None):
        status, answer = self.ask(method, target, body)
        if status != 200:
            fail(f"{method} {target} was answered {status}: {answer.decode(errors='replace')}")
        return answer

    def model(self, name=None):
        """Returns the model in /status with this name, or the first."""
        models = json.loads(self.get("GET", "/status"))["models"]
        return next(one for one in models if name in (None, one["name"]))

    def workers(self, name=None):
        return [worker["pid"] for worker in self.model(name)["workers"] if worker["state"] in ("ready", "busy")]

    def processes(self, name=None):
        """Returns the pids of the model's workers and their loader."""
        loader = self.model(name).get("loader")
        return self.workers(name) + ([loader["pid"]] if loader else [])

    def wait_for_workers(self, count, name=None):
        while len(self.workers(name)) < count:
            time.sleep(0.01)

    def stages(self, name):
        """Returns from /metrics the seconds of all answers by stage, and the number of answers."""
        text = self.get("GET", "/metrics").decode()
        found = re.findall(rf'^yolod_request_seconds_(sum|count){{model="{name}",stage="(\w+)"}} (\S+)', text, re.MULTILINE)
        stages = {stage: float(value) for kind, stage, value in found if kind == "sum"}
        stages["count"] = sum(float(value) for kind, stage, value in found if kind == "count" and stage == "total")
        return stages


def mean_ms(before, after, *stages):
    """Returns the milliseconds of an answer in these stages, between two calls of Yolod.stages()."""
    answers = after["count"] - before["count"]
    return 1000 * sum(after[stage] - before[stage] for stage in stages) / answers if answers else float("nan")


def memory_mib(pid):
    """Returns two amounts of proportional memory (PSS) of the processes: all memory except the arena and the lanes,
    and the arena and the lanes."""
    own = shared = 0
    in_memfd = False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            in_memfd = "memfd:yolod" in line
        elif line.startswith("Pss:"):
            kib = int(line.split()[1])
            if in_memfd:
                shared += kib
            else:
                own += kib
    return own / 1024, shared / 1024


def processor_us(*pids):
    """Returns the processes' processor time in microseconds; without pids, the time of ended children."""
    if not pids:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return 1e6 * (usage.ru_utime + usage.ru_stime)
    threads = [thread for pid in pids for thread in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1000


NGINX = """
daemon off;
user {user};
worker_processes {workers};
pid {{folder}}/pid;
error_log {{folder}}/log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {{folder}}/body;
  proxy_temp_path {{folder}}/proxy;
  fastcgi_temp_path {{folder}}/fastcgi;
  uwsgi_temp_path {{folder}}/uwsgi;
  scgi_temp_path {{folder}}/scgi;
  client_max_body_size 16m;
  client_body_buffer_size 1m;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  tcp_nodelay on;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  upstream behind {{
    server {upstream};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  {servers}
}}
"""


class Nginx(Program):
    """Runs nginx as a proxy before the server with the URL `upstream`, and keeps its connections to that server.
    `listeners` are pairs of a port's settings, as nginx has them after "listen 127.0.0.1:PORT", and other directives."""

    def __init__(self, workers, upstream, listeners):
        program = need_program("nginx", "run tools/install_packages bench, or leave nginx out")
        self.ports = free_ports(len(listeners))
        servers = [f"server {{ listen 127.0.0.1:{port}{settings}; {directives} location / {{ proxy_pass http://behind; }} }}"
                   for port, (settings, directives) in zip(self.ports, listeners)]
        user = "root" if os.geteuid() == 0 else "nobody"
        super().__init__([program, "-e", "stderr", "-c"],
                         NGINX.format(user=user, workers=workers, upstream=upstream.removeprefix("http://"),
                                      servers="\n  ".join(servers)))
        for port in self.ports:
            self.wait_until_listening(port)

    def workers(self):
        """Returns the pids of nginx's workers."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


# ---- load ----


def start_load(options, url, image, seconds, connections, rate=None, model=None):
    """Starts `yolodctl bench server`; end_load() waits for its result."""
    command = [options.bin / "yolodctl", "bench", "server", "--url", url, "--image", image, "--connections",
               str(connections), "--duration", f"{seconds}s", "--json"]
    if rate:
        command += ["--rate", f"{rate:.3f}"]
    if model:
        command += ["--model", model]
    errors = None if sys.stderr.isatty() else subprocess.PIPE  # a terminal sees its progress
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)


def end_load(process, errors_allowed=False):
    try:
        said, complaints = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    result = json.loads(said) if said else None
    if result is None or not errors_allowed and (process.returncode != 0 or result["errors"]):
        fail(f"yolodctl bench server failed: {result and result['errors']} {complaints or ''}")
    return result


def load(*arguments, errors_allowed=False, **keywords):
    """Runs a closed loop, or with a rate an open loop, in which latencies count from the due time of a request."""
    return end_load(start_load(*arguments, **keywords), errors_allowed)


def wrk(url, seconds, connections, script):
    """Returns requests per second and the median latency in microseconds; an answer other than 200 is an error."""
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    if re.search("Non-2xx|Socket errors", said):
        fail(f"{url} did not answer every request with 200:\n{said}")
    value, unit = re.search(r"50%\s+([0-9.]+)(us|ms|s)\b", said).groups()
    microseconds = float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", said)[1]), microseconds
