#include "app/reference/config_page.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/refused_settings.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::reference {
namespace {

TEST_CASE("ConfigPage: yolod prints docs/configuration.md", "[app][unit]") {
  INFO("yolod --print-config-reference > docs/configuration.md writes it anew");
  CHECK(tests::read_file(YOLOD_TEST_SOURCE_DIR "/docs/configuration.md") == config_page(notes_on_refused_settings()));
}

TEST_CASE("ConfigPage: every note on a refused setting is at its key or section", "[app][unit]") {
  const auto page = config_page(notes_on_refused_settings());
  for (const auto& note : notes_on_refused_settings()) {
    CAPTURE(note.key);
    const auto text = "**" + note.message + "**";
    const auto at = page.find(text);
    REQUIRE(at != std::string::npos);
    const auto section = note.key.substr(0, note.key.rfind('.'));
    const auto name = note.key.substr(note.key.rfind('.') + 1);
    const auto heading = page.substr(page.rfind("\n### ", at), 200);
    const auto line = page.substr(page.rfind('\n', at) + 1, 200);
    CHECK((heading.starts_with("\n### `" + note.key + "`\n") ||
           (heading.starts_with("\n### `" + section + "`\n") && line.starts_with("| `" + name + "` |"))));
  }
}

}  // namespace
}  // namespace yolod::app::reference
