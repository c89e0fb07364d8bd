# LibTorch and OpenCV for model/ alone. A LibTorch from elsewhere (a CUDA build, say) is found through CMAKE_PREFIX_PATH;
# otherwise the distribution's. Only yolod_torch carries their include folders and definitions, and yolod_model links it
# privately, so that no other target compiles with Torch's flags.
#
# A LibTorch with CUDA enables that language from its own files, which can be done outside of functions alone: so it is
# done before, where one was asked for.
if(YOLOD_WITH_CUDA)
  enable_language(CUDA)
endif()
function(_yolod_find_torch)
  # Both configs append to CMAKE_CXX_FLAGS when some of their options are on; in a function's scope that ends here.
  find_package(Torch REQUIRED)
  if(Torch_VERSION AND Torch_VERSION VERSION_LESS 1.13)
    message(FATAL_ERROR "LibTorch ${Torch_VERSION} is too old: 1.13 or later is needed")
  endif()
  find_package(OpenCV 4 REQUIRED COMPONENTS core imgproc)
  # Imported targets are visible in the folder that found them and below: that is the top folder, as this file is
  # included from there.
  add_library(yolod_torch INTERFACE)
  target_include_directories(yolod_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS} ${OpenCV_INCLUDE_DIRS})
  target_link_libraries(yolod_torch INTERFACE ${TORCH_LIBRARIES} opencv_core opencv_imgproc)
  # For tools/bench alone: what OpenCV itself makes of a network.
  find_package(OpenCV 4 QUIET OPTIONAL_COMPONENTS dnn)
  if(TARGET opencv_dnn)
    add_library(yolod_opencv_dnn INTERFACE)
    target_include_directories(yolod_opencv_dnn SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
    target_link_libraries(yolod_opencv_dnn INTERFACE opencv_dnn)
  endif()
  # A LibTorch built for the old string ABI says so here; everything that links it would have to follow.
  if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
    message(FATAL_ERROR "this LibTorch is built for the pre-C++11 ABI: take the cxx11-abi download instead")
  endif()
endfunction()
_yolod_find_torch()

# The GPU half of model/device/, where this LibTorch has one.
set(_yolod_cuda_default OFF)
if(TARGET torch_cuda)
  set(_yolod_cuda_default ON)
endif()
option(YOLOD_WITH_CUDA "Workers on GPUs (needs a LibTorch with CUDA)" ${_yolod_cuda_default})
if(YOLOD_WITH_CUDA AND NOT TARGET torch_cuda)
  message(FATAL_ERROR "YOLOD_WITH_CUDA: this LibTorch is built without CUDA; name another by CMAKE_PREFIX_PATH")
endif()

# oneDNN by itself (model/onednn/) only where it is the very library that LibTorch calls: the distribution's. A LibTorch
# from elsewhere carries its own inside, and two in one process share neither threads nor symbols safely.
set(_yolod_onednn_default OFF)
if(Torch_DIR MATCHES "^/usr/(lib|share)/")
  set(_yolod_onednn_default ON)
endif()
option(YOLOD_WITH_ONEDNN "Convolutions by oneDNN itself (needs the distribution's LibTorch)" ${_yolod_onednn_default})
if(YOLOD_WITH_ONEDNN AND YOLOD_WITH_CUDA)
  # Parameters are laid out for one of the two.
  message(FATAL_ERROR "YOLOD_WITH_CUDA and YOLOD_WITH_ONEDNN exclude each other")
endif()
if(YOLOD_WITH_ONEDNN)
  # Its own CMake config asks for OpenCL, which nothing here uses.
  find_library(YOLOD_DNNL_LIBRARY dnnl REQUIRED)
  find_path(YOLOD_DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
  add_library(yolod_dnnl INTERFACE)
  target_include_directories(yolod_dnnl SYSTEM INTERFACE ${YOLOD_DNNL_INCLUDE_DIR})
  target_link_libraries(yolod_dnnl INTERFACE ${YOLOD_DNNL_LIBRARY})
endif()
