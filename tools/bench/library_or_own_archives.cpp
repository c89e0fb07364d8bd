// Compares the reader and the writer of zip archives with libzip.
#include <zip.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "model/files/npz.hpp"
#include "tools/bench/library_or_own.hpp"

namespace yolod::bench {
namespace {

using model::NamedTensor;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

struct Close {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

// libzip with its strictest option, and with those checks of model/files/npz that libzip leaves to its caller.
bool libzip_reads(const std::string& bytes, std::vector<NamedTensor>& tensors) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) return false;
  const Archive archive(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (archive == nullptr) {
    zip_source_free(source);
    zip_error_fini(&error);
    return false;
  }
  const auto count = zip_get_num_entries(archive.get(), 0);
  std::size_t taken = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t entry;
    if (zip_stat_index(archive.get(), index, 0, &entry) != 0) return false;
    if (entry.comp_method != ZIP_CM_STORE || entry.encryption_method != ZIP_EM_NONE) return false;
    if (entry.size != entry.comp_size || entry.size > bytes.size() || (taken += entry.size) > bytes.size())
      return false;
    const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(archive.get(), index, 0));
    if (file == nullptr) return false;
    std::string data(entry.size, '\0');
    if (zip_fread(file.get(), data.data(), data.size()) != static_cast<zip_int64_t>(data.size())) return false;
    char behind = 0;
    if (zip_fread(file.get(), &behind, 1) != 0) return false;  // here it compares the checksum
    auto array = model::parse_npy_tensor(data);
    if (!array) return false;
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    tensors.push_back({std::move(name), std::move(array).value()});
  }
  return true;
}

std::string libzip_writes(const std::vector<NamedTensor>& tensors) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(target);
  zip_t* const archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  std::vector<std::string> files;
  for (const auto& tensor : tensors) files.push_back(model::to_npy(tensor.array));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    zip_source_t* const file = zip_source_buffer(archive, files[i].data(), files[i].size(), 0);
    const auto index = zip_file_add(archive, (tensors[i].name + ".npy").c_str(), file, ZIP_FL_ENC_UTF_8);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    zip_file_set_mtime(archive, static_cast<zip_uint64_t>(index), 315'532'800, 0);  // 1980: always the same bytes
  }
  std::string bytes;
  if (zip_close(archive) == 0 && zip_source_open(target) == 0) {
    zip_source_seek(target, 0, SEEK_END);
    bytes.resize(static_cast<std::size_t>(zip_source_tell(target)));
    zip_source_seek(target, 0, SEEK_SET);
    zip_source_read(target, bytes.data(), bytes.size());
    zip_source_close(target);
  }
  zip_source_free(target);
  return bytes;
}

NamedTensor floats(std::string name, std::size_t count) {
  std::vector<float> values(count);
  std::mt19937 random(7);
  for (float& value : values) value = static_cast<float>(random());
  const auto bytes = std::as_bytes(std::span(values));
  return {std::move(name),
          {model::ElementType::kFloat32, {static_cast<std::int64_t>(count)}, {bytes.begin(), bytes.end()}}};
}

template <typename Number>
std::string with(std::string bytes, std::size_t at, Number value) {
  bytes.replace(at, sizeof value, std::string(reinterpret_cast<const char*>(&value), sizeof value));
  return bytes;
}

// Each of these archives lies, and its name says how.
std::vector<std::pair<const char*, std::string>> hostile_archives() {
  const std::vector<NamedTensor> two{floats("a", 100), floats("b", 100)};
  const auto good = model::to_npz(two);
  const auto table = good.find("PK\x01\x02");
  const auto end = good.rfind("PK\x05\x06");
  auto twins = two;
  twins[1].name = "a";
  auto shared = good;  // the table says that the second entry lies where the first does
  shared = with(shared, good.find("PK\x01\x02", table + 1) + 42, std::uint32_t{0});
  auto damaged = good;
  damaged[good.find("PK\x03\x04", 4) - 1] ^= 1;
  return {{"two entries of one name", model::to_npz(twins)},
          {"two entries that share their bytes", shared},
          {"bytes before the archive", "0123456789" + good},
          {"bytes behind the archive", good + "0123456789"},
          {"an entry that is not what its checksum says", damaged},
          {"a compressed entry", with(good, table + 10, std::uint16_t{8})},
          {"an encrypted entry", with(good, table + 8, std::uint16_t{1})},
          {"a table with more entries than it says", with(good, end + 10, std::uint16_t{1})},
          {"a table with fewer entries than it says", with(good, end + 10, std::uint16_t{3})},
          {"an entry without a checksum", with(with(good, table + 16, 0), 14, 0)},
          {"an entry whose own header has another name", with(good, 30, 'z')}};
}

void compare_strictness() {
  std::printf("hostile archives                                        own code    libzip, ZIP_CHECKCONS\n");
  const auto said = [](bool read) { return read ? "READ" : "refused"; };
  for (const auto& [name, bytes] : hostile_archives()) {
    std::vector<NamedTensor> tensors;
    std::printf("  %-53s %-11s %s\n", name, said(model::parse_npz(bytes).ok()), said(libzip_reads(bytes, tensors)));
  }
  const auto good = model::to_npz(std::vector<NamedTensor>{floats("a", 100), floats("b", 100)});
  std::mt19937 random(5);
  constexpr int kDamaged = 20'000;
  int own = 0;
  int libzip = 0;
  int libzip_alone = 0;
  for (int i = 0; i < kDamaged; ++i) {
    auto bytes = good;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    std::vector<NamedTensor> tensors;
    const bool read = model::parse_npz(bytes).ok();
    const bool read_by_libzip = libzip_reads(bytes, tensors);
    own += read ? 1 : 0;
    libzip += read_by_libzip ? 1 : 0;
    libzip_alone += read_by_libzip && !read ? 1 : 0;
  }
  std::printf("  of %d with three bytes changed                      %-11d %d (%d that own code refuses)\n", kDamaged,
              own, libzip, libzip_alone);
}

// Reads from /proc/self/maps how much code this process maps of libzip and of the libraries that come with it.
void print_libraries() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  std::size_t code_bytes = 0;
  std::string names;
  while (std::getline(maps, line)) {
    for (const char* library : {"libzip", "libcrypto", "libbz2"}) {
      if (line.find(std::string("/") + library) == std::string::npos || line.find(" r-xp ") == std::string::npos)
        continue;
      const auto dash = line.find('-');
      code_bytes += std::stoull(line.substr(dash + 1), nullptr, 16) - std::stoull(line, nullptr, 16);
      names += names.empty() ? library : std::string(", ") + library;
    }
  }
  std::printf("libzip brings %s: %zu KiB of code into every process that links it\n", names.c_str(), code_bytes / 1024);
}

}  // namespace

void compare_archives(int rounds) {
  const std::vector<NamedTensor> tensors{floats("boxes", 100 * 4), floats("scores", 100 * 80), floats("map", 200'000)};
  const auto bytes = model::to_npz(tensors);
  const auto written = libzip_writes(tensors);
  compare("an .npz file of three arrays, " + std::to_string(bytes.size() / 1024) + " KiB: read",
          {{"own: model/files/npz", [&] { (void)model::parse_npz(bytes); }},
           {"libzip",
            [&] {
              std::vector<NamedTensor> read;
              (void)libzip_reads(bytes, read);
            }}},
          10, rounds);
  compare("written",
          {{"own: model/files/npz", [&] { (void)model::to_npz(tensors); }},
           {"libzip", [&] { (void)libzip_writes(tensors); },
            written == bytes ? "the same bytes" : std::to_string(written.size()) + " other bytes"}},
          10, rounds);
  compare_strictness();
  print_libraries();
}

}  // namespace yolod::bench
