// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/workload/onnx.hpp"

#include "model/workload/mapped_file.hpp"
#include "model/workload/onnx_proto.hpp"
#include "model/workload/onnx_walk.hpp"

namespace carnot::model {

Workload parse_onnx(std::string_view bytes, const std::string& file, const OnnxOptions& options,
                    const std::filesystem::path& folder) {
  const WireSource source{file, bytes};
  const OnnxModel model = decode_onnx(source);
  return OnnxWalk(source, model, options, folder).run();
}

Workload read_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  const MappedFile file(path);
  const std::filesystem::path folder = path.parent_path();
  return parse_onnx(file.bytes(), path.string(), options, folder.empty() ? "." : folder);
}

}  // namespace carnot::model
