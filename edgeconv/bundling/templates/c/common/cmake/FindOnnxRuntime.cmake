# Makes the target onnxruntime::onnxruntime of
#   ONNXRUNTIME_INCLUDE_DIR   the folder of onnxruntime_c_api.h: a variable here, or of the environment
#   ONNXRUNTIME_LIB_DIR       the folder of the library, likewise; else the one inside the Python package

if(TARGET onnxruntime::onnxruntime)
  set(OnnxRuntime_FOUND TRUE)
  return()
endif()

find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_c_api.h HINTS ENV ONNXRUNTIME_INCLUDE_DIR PATH_SUFFIXES onnxruntime)
if(NOT EXISTS "${ONNXRUNTIME_INCLUDE_DIR}/onnxruntime_c_api.h")
  message(FATAL_ERROR
    "ONNXRUNTIME_INCLUDE_DIR must be the folder that holds onnxruntime_c_api.h. "
    "Received: ${ONNXRUNTIME_INCLUDE_DIR}. Unpack a release of https://github.com/microsoft/onnxruntime/releases "
    "and configure with -DONNXRUNTIME_INCLUDE_DIR=.../include")
endif()

# -D, then the environment, then the Python package.
set(folder "${ONNXRUNTIME_LIB_DIR}")
if(NOT folder)
  set(folder "$ENV{ONNXRUNTIME_LIB_DIR}")
endif()
if(NOT folder)
  find_package(Python3 QUIET COMPONENTS Interpreter)
  if(Python3_FOUND)
    execute_process(
      COMMAND "${Python3_EXECUTABLE}" -c
        "import importlib.util as u, os; print(os.path.dirname(u.find_spec('onnxruntime').origin) + '/capi')"
      OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
if(folder)
  file(TO_CMAKE_PATH "${folder}" folder)
  get_filename_component(folder "${folder}" ABSOLUTE)
endif()

# Python's package has the file without the links by which linkers and loaders ask for it.
set(library "")
foreach(pattern libonnxruntime.so libonnxruntime.so.1 libonnxruntime.so.1.* libonnxruntime.dylib
    libonnxruntime.1.*.dylib onnxruntime.lib)
  file(GLOB found "${folder}/${pattern}")
  if(found AND folder AND NOT library)
    list(GET found 0 library)
  endif()
endforeach()
if(NOT library)
  message(FATAL_ERROR
    "ONNXRUNTIME_LIB_DIR must be the folder that holds ONNX Runtime's library. Received: ${folder}. "
    "Configure with -DONNXRUNTIME_LIB_DIR=.../lib, or run `python3 -m pip install onnxruntime`.")
endif()
message(STATUS "ONNX Runtime: ${library}, headers in ${ONNXRUNTIME_INCLUDE_DIR}")

add_library(onnxruntime::onnxruntime SHARED IMPORTED GLOBAL)
set_target_properties(onnxruntime::onnxruntime PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${ONNXRUNTIME_INCLUDE_DIR}")
if(WIN32)
  set_target_properties(onnxruntime::onnxruntime PROPERTIES
    IMPORTED_IMPLIB "${library}" IMPORTED_LOCATION "${folder}/onnxruntime.dll")
else()
  # The loader asks for the library's soname: a link of that name goes into the build folder, which is in the RPATH.
  get_filename_component(file "${library}" NAME)
  set(links "${CMAKE_CURRENT_BINARY_DIR}/onnxruntime")
  file(MAKE_DIRECTORY "${links}")
  set(soname libonnxruntime.so.1)
  if(APPLE)
    set(soname libonnxruntime.1.dylib)
  endif()
  foreach(name IN ITEMS "${file}" ${soname})
    file(CREATE_LINK "${library}" "${links}/${name}" SYMBOLIC)
  endforeach()
  set_target_properties(onnxruntime::onnxruntime PROPERTIES IMPORTED_LOCATION "${links}/${file}")
endif()

set(OnnxRuntime_FOUND TRUE)
