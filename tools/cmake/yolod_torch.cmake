# Finds LibTorch and OpenCV, for model/ only. CMAKE_PREFIX_PATH selects another LibTorch (for example a CUDA build)
# instead of the distribution's. Only yolod_torch has their include folders and definitions, and yolod_model links it
# privately, so that no other target compiles with Torch's flags.
#
# A LibTorch with CUDA enables the CUDA language in its own files, and CMake allows that only outside functions.
# Therefore it is enabled here first if a CUDA build was requested.
if(YOLOD_WITH_CUDA)
  enable_language(CUDA)
endif()
function(_yolod_find_torch)
  # Both configs append to CMAKE_CXX_FLAGS if some of their options are on. The function's scope contains that change.
  find_package(Torch REQUIRED)
  if(Torch_VERSION AND Torch_VERSION VERSION_LESS 1.13)
    message(FATAL_ERROR "LibTorch ${Torch_VERSION} is too old: 1.13 or later is needed")
  endif()
  find_package(OpenCV 4 REQUIRED COMPONENTS core imgproc)
  # Imported targets are visible in the folder that finds them and below it. The top folder includes this file, so
  # they are visible everywhere.
  add_library(yolod_torch INTERFACE)
  target_include_directories(yolod_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS} ${OpenCV_INCLUDE_DIRS})
  target_link_libraries(yolod_torch INTERFACE ${TORCH_LIBRARIES} opencv_core opencv_imgproc)
  # For tools/bench only: OpenCV's own forward pass.
  find_package(OpenCV 4 QUIET OPTIONAL_COMPONENTS dnn)
  if(TARGET opencv_dnn)
    add_library(yolod_opencv_dnn INTERFACE)
    target_include_directories(yolod_opencv_dnn SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
    target_link_libraries(yolod_opencv_dnn INTERFACE opencv_dnn)
  endif()
  # A LibTorch built for the old string ABI sets this flag; everything that links it would need the same ABI.
  if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
    message(FATAL_ERROR "this LibTorch is built for the pre-C++11 ABI: take the cxx11-abi download instead")
  endif()
endfunction()
_yolod_find_torch()

# The GPU part of model/torch/device/, if this LibTorch has CUDA.
set(_yolod_cuda_default OFF)
if(TARGET torch_cuda)
  set(_yolod_cuda_default ON)
endif()
option(YOLOD_WITH_CUDA "Workers on GPUs (needs a LibTorch with CUDA)" ${_yolod_cuda_default})
if(YOLOD_WITH_CUDA AND NOT TARGET torch_cuda)
  message(FATAL_ERROR "YOLOD_WITH_CUDA: this LibTorch is built without CUDA; name another by CMAKE_PREFIX_PATH")
endif()

# Calls oneDNN directly (model/torch/onednn/) only if LibTorch uses the same library: the distribution's. Another
# LibTorch contains its own oneDNN, and two copies in one process share neither threads nor symbols safely.
set(_yolod_onednn_default OFF)
if(Torch_DIR MATCHES "^/usr/(lib|share)/")
  set(_yolod_onednn_default ON)
endif()
option(YOLOD_WITH_ONEDNN "Convolutions by oneDNN itself (needs the distribution's LibTorch)" ${_yolod_onednn_default})
if(YOLOD_WITH_ONEDNN AND YOLOD_WITH_CUDA)
  # The parameters have the layout of only one of the two.
  message(FATAL_ERROR "YOLOD_WITH_CUDA and YOLOD_WITH_ONEDNN exclude each other")
endif()
if(YOLOD_WITH_ONEDNN)
  # oneDNN's own CMake config needs OpenCL, which yolod does not use.
  find_library(YOLOD_DNNL_LIBRARY dnnl REQUIRED)
  find_path(YOLOD_DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
  add_library(yolod_dnnl INTERFACE)
  target_include_directories(yolod_dnnl SYSTEM INTERFACE ${YOLOD_DNNL_INCLUDE_DIR})
  # libgomp is the OpenMP of the distribution's LibTorch and oneDNN, whatever compiler builds yolod.
  target_link_libraries(yolod_dnnl INTERFACE ${YOLOD_DNNL_LIBRARY} gomp)
endif()
