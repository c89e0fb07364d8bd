# Keeps libraries out of yolod's processes that the distribution's LibTorch needs by name but never calls: OpenCV's
# image codecs and their dependencies (GDAL, GDCM), FFmpeg, ZeroMQ and two databases. They parse dozens of formats
# that a hostile picture can imitate, so a worker should not even have them in its memory. They also cost 65 MB and
# 0.13 s per start.
#
# For each of them this builds an empty library of the same name, in a folder that a program searches before the
# system's folders. It uses DT_RPATH, because DT_RUNPATH would not apply to indirectly needed libraries. The stand-ins
# are used only if LibTorch still finds each of its symbols. Another LibTorch, which does not need those libraries,
# has no stand-ins.
#
#   yolod_use_stand_ins(PROGRAM)   for a program that links LibTorch and calls none of these libraries itself
set(_yolod_stand_in_names
  opencv_highgui opencv_optflow opencv_videoio opencv_ximgproc opencv_imgcodecs opencv_video opencv_dnn opencv_calib3d
  opencv_features2d opencv_flann avcodec avformat avutil swscale swresample zmq lmdb leveldb)
set(YOLOD_STAND_INS "")
set(_yolod_stand_in_folder ${CMAKE_BINARY_DIR}/stand_ins)

function(_yolod_make_stand_ins)
  if(NOT TARGET torch_cpu)
    return()
  endif()
  get_target_property(library torch_cpu LOCATION)  # of whichever configuration it was built in
  find_program(READELF readelf)
  find_program(LDD ldd)
  if(NOT library OR NOT READELF OR NOT LDD OR YOLOD_SANITIZE)
    return()
  endif()
  execute_process(COMMAND ${READELF} --dynamic --wide ${library} OUTPUT_VARIABLE dynamic ERROR_QUIET)
  set(files "")
  foreach(name IN LISTS _yolod_stand_in_names)
    if(dynamic MATCHES "\\[(lib${name}\\.so[.0-9a-z]*)\\]")
      list(APPEND files ${CMAKE_MATCH_1})
    endif()
  endforeach()
  if(NOT files)
    return()
  endif()
  set(empty ${_yolod_stand_in_folder}/empty.c)
  file(WRITE ${empty} "/* A library without content. */\nextern int yolod_stand_in;\nint yolod_stand_in = 0;\n")
  foreach(file IN LISTS files)
    execute_process(
      COMMAND ${CMAKE_C_COMPILER} -shared -fPIC -nostdlib -Wl,-soname,${file} -o ${_yolod_stand_in_folder}/${file} ${empty}
      RESULT_VARIABLE failed ERROR_VARIABLE why)
    if(failed)
      message(STATUS "no stand-ins: ${why}")
      return()
    endif()
  endforeach()
  # Resolves every symbol of LibTorch and of its dependencies, with the stand-ins in place of the libraries.
  execute_process(COMMAND ${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${_yolod_stand_in_folder} ${LDD} -r ${library}
    OUTPUT_VARIABLE resolved ERROR_VARIABLE also)
  if("${resolved}${also}" MATCHES "(undefined symbol|symbol lookup error|version .* not found)[^\n]*")
    message(STATUS "no stand-ins: LibTorch calls one of the libraries: ${CMAKE_MATCH_0}")
    return()
  endif()
  list(LENGTH files count)
  message(STATUS "stand-ins for ${count} libraries that LibTorch names and does not call")
  set(YOLOD_STAND_INS ${files} PARENT_SCOPE)
endfunction()
file(REMOVE_RECURSE ${_yolod_stand_in_folder})
_yolod_make_stand_ins()

function(yolod_use_stand_ins program)
  if(NOT YOLOD_STAND_INS)
    return()
  endif()
  target_link_options(${program} PRIVATE -Wl,--disable-new-dtags)
  set_target_properties(${program} PROPERTIES
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/stand_ins" INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()

# The stand-ins lie beside the programs that use them, in libexec/yolod.
function(yolod_install_stand_ins)
  foreach(file IN LISTS YOLOD_STAND_INS)
    install(PROGRAMS ${_yolod_stand_in_folder}/${file} DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/yolod/stand_ins)
  endforeach()
endfunction()
