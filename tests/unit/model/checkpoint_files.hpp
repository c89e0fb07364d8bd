// Builds checkpoints by hand, byte by byte. No well-behaved program writes such files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolod::tests {

inline std::string little(std::uint64_t value, std::size_t byte_count) {
  std::string bytes;
  for (std::size_t i = 0; i < byte_count; ++i) {
    bytes += static_cast<char>(value & 0xFFU);
    value >>= 8U;
  }
  return bytes;
}

// Returns a zip file of uncompressed entries. Their CRC is 0, which means that the file has no CRC.
inline std::string stored_zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string file;
  std::string directory;
  for (const auto& [name, data] : entries) {
    const auto sizes = little(0, 4) + little(data.size(), 4) + little(data.size(), 4) + little(name.size(), 2);
    const auto offset = file.size();
    file += "PK\x03\x04" + little(20, 2) + little(0, 8) + sizes + little(0, 2) + name + data;
    directory +=
        "PK\x01\x02" + little(20, 2) + little(20, 2) + little(0, 8) + sizes + little(0, 12) + little(offset, 4) + name;
  }
  const auto offset = file.size();
  return file + directory + "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) + little(entries.size(), 2) +
         little(directory.size(), 4) + little(offset, 4) + little(0, 2);
}

// These functions return pieces of pickles of protocol 2.
inline std::string text(std::string_view value) { return "X" + little(value.size(), 4) + std::string(value); }
inline std::string integer(std::int32_t value) { return "J" + little(static_cast<std::uint32_t>(value), 4); }
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(std::string_view items) { return "(" + std::string(items) + "t"; }
inline std::string pickled(std::string_view value) { return "\x80\x02" + std::string(value) + "."; }

// Returns a tensor in the storage `key`, which has `count` elements. `shape` and `strides` are pickled integers.
inline std::string tensor(std::string_view key, std::int32_t count, std::int32_t offset, std::string_view shape,
                          std::string_view strides, std::string_view type = "FloatStorage") {
  const auto storage = tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count)) + "Q";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage + integer(offset) + tuple(shape) + tuple(strides) + "\x89N") + "R";
}

// Returns the pickle of {'model': {...}}. `items` holds the pickled keys and values of the inner dictionary.
inline std::string model_pickle(std::string_view items) {
  return pickled("}" + text("model") + "}(" + std::string(items) + "us");
}

}  // namespace yolod::tests
