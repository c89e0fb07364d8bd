#include "app/reference/config_page.hpp"

#include <algorithm>
#include <string_view>

#include "app/reference/markdown.hpp"
#include "common/config/reference.hpp"

namespace yolod::app::reference {
namespace {

using common::ConfigKey;
using common::ConfigSection;
using common::KeyProblem;

constexpr std::string_view kConfigIntroduction =
    R"(# Configuring yolod

<!-- `yolod --print-config-reference` prints this page from the tables that read the config. -->

yolod reads the YAML file of `--config FILE`, else `./system.yaml`, else `/etc/yolod/system.yaml`.

```yaml
server:
  listen: [127.0.0.1:8080]
models:
  - name: lights
    darknet: {cfg: lights.cfg, weights: lights.weights, names: lights.names}
    workers: 2
```

| command | does |
|---|---|
| `yolod --init [DIR]` | writes a first `system.yaml` for the networks in the folder DIR (here, if none is named) |
| `yolod --check` | reads the config, loads every model once, says what it found, and stops |
| `yolod --print-config` | prints the config with every `--set` and every default |
| `yolod --set KEY=VALUE` | changes one key for one run; the value is YAML, and the option may be repeated |

A key that is not in the file has its default. A key that yolod does not know is an error, and so is a key that stands twice.
yolod reports all errors at once, each as a line `file:line:column: key: what is wrong, what is allowed`, and exits with 2. HUP makes a running server read the file again. Changes of these keys need a restart:
`server.listen`, `server.admin_listen`, `server.max_connections`, `server.state_dir`, `server.models_dir`, `access.register`, `access.session_idle`,
`access.session_lifetime`, `postgres`, `deepstack.enabled`, `doods.enabled`, `oip.enabled`, `roboflow.enabled` and `memory.input_arena`. TLS at an address without TLS needs a restart too (`server.tls`).
The names of TLS files may change without one.

`--set` names a key by the names on the way to it, joined by dots. A model is named by its name or its place in the list:
`--set server.listen=127.0.0.1:0`, `--set models.lights.workers=4`, `--set 'models[0].detect.classes=[red, green]'`.

## How values are written

| value | written as |
|---|---|
| a size | bytes, or a number with B, KiB, MiB or GiB: `4096`, `16MiB`, `1.5GiB` |
| a time | a number with ms, s or m: `500ms`, `1.5s`, `2m`; also `0` |
| pixels | a number, or one with MP for a million: `640000`, `100MP` |
| a path | a relative path starts at the config file's folder, or at `base_dir` if the file has it |
| an address | a numeric address with a port: `127.0.0.1:8080`, `0.0.0.0:8080`, `"[::1]:8080"` (in quotes); or a unix socket: `unix:/run/yolod/http.sock` |

## The short form

One Darknet network can be described by two sections alone. The model is named after its weights file.

```yaml
postgres: {database: db, user: me, password: secret, host: localhost, port: 5432, minsize: 1, maxsize: 5}
workers:
  max_workers: 1
  model_path: {data: lights.names, weights: lights.weights, cfg: lights.cfg}
  img_size: 512
```

`postgres` and `img_size` are optional. With `postgres` the server has accounts of people ([people.md](people.md)), and people may register unless `access.register` says otherwise. With `workers` at the top level the file has no `models`; it may have every other key.

)";

std::string note_on(const std::string& key, const std::vector<KeyProblem>& notes) {
  const auto found = std::find_if(notes.begin(), notes.end(), [&key](const auto& note) { return note.key == key; });
  return found == notes.end() ? "" : " **" + found->message + "**";
}

std::string default_cell(const ConfigKey& key) {
  if (key.required) return "required";
  return key.default_value.empty() ? key.when_absent : code(key.default_value);
}

void append_section(std::string& page, const ConfigSection& section, const std::vector<KeyProblem>& notes) {
  page += section.key.empty() ? "### The top level\n\n" : "### " + code(section.key) + "\n\n";
  if (!section.key.empty()) {
    page +=
        section.meaning + (section.required ? " The section is required." : "") + note_on(section.key, notes) + '\n';
  }
  if (section.keys.empty()) {
    page += '\n';
    return;
  }
  if (!section.key.empty()) page += '\n';
  page += table_head({"key", "default", "allowed", "meaning"});
  const auto prefix = section.key.empty() ? "" : section.key + '.';
  for (const ConfigKey& key : section.keys) {
    const auto name = code(key.name) + (key.other_name.empty() ? "" : " or " + code(key.other_name));
    page += table_row({name, default_cell(key), key.allowed, key.meaning + note_on(prefix + key.name, notes)});
  }
  page += '\n';
}

}  // namespace

std::string config_page(const std::vector<KeyProblem>& notes) {
  std::string page(kConfigIntroduction);
  page += "## All keys\n\nWhere a name ends in `[]`, the value is a list, and each item has the keys of the table.\n\n";
  for (const ConfigSection& section : common::config_reference()) append_section(page, section, notes);
  page.pop_back();  // the empty line at its end
  return page;
}

}  // namespace yolod::app::reference
