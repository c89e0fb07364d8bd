#include "model/export_torchscript.hpp"

#include <cerrno>
#include <exception>
#include <fstream>
#include <new>
#include <system_error>
#include <utility>

#include "model/read_file.hpp"
#include "model/torch_module.hpp"
#include "model/torch_runtime.hpp"

namespace yolod::model {
namespace {

using common::Outcome;

// A file that is gone at the end of its scope unless it has been given another name.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(std::filesystem::path path) : path_(std::move(path)) {}
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

Outcome<void> export_torchscript(CompiledNetwork compiled, const std::map<std::string, std::string>& extra_files,
                                 const std::filesystem::path& file) {
  try {
    const auto module = define_module(std::move(compiled), common::Precision::kFp32);
    const UnfinishedFile unfinished(file.string() + ".unfinished");
    errno = 0;
    std::ofstream stream(unfinished.path(), std::ios::binary | std::ios::trunc);
    if (stream) module.save(stream, torch::jit::ExtraFilesMap(extra_files.begin(), extra_files.end()));
    stream.close();
    if (!stream) return common::system_error(file.string(), errno != 0 ? errno : EIO);
    std::error_code failed;
    std::filesystem::rename(unfinished.path(), file, failed);
    if (failed) return common::system_error(file.string(), failed.value());
    return {};
  } catch (const c10::Error& error) {
    return bad_model("LibTorch cannot write the network: " + first_line(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return bad_model("no memory for the network");
  } catch (const std::exception& error) {
    return bad_model("LibTorch cannot write the network: " + first_line(error.what()));
  }
}

}  // namespace yolod::model
