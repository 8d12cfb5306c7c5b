# Libraries of ours under TensorRT's names, each in a folder of its own: build/…/tests/fake_tensorrt/<FOLDER>.
file(STRINGS ${ASSAY_TENSORRT_INCLUDE}/NvInferVersion.h version REGEX "define (TRT|NV_TENSORRT)_(MAJOR|MINOR)(_ENTERPRISE)? +[0-9]+")
string(REGEX REPLACE ".*MAJOR(_ENTERPRISE)? +([0-9]+).*" "\\2" major "${version}")
string(REGEX REPLACE ".*MINOR(_ENTERPRISE)? +([0-9]+).*" "\\2" minor "${version}")

function(assay_tensorrt_fake TARGET FOLDER FILE SOURCE)
  add_library(${TARGET} SHARED ${SOURCE})
  target_link_libraries(${TARGET} PRIVATE assay_flags)
  target_compile_definitions(${TARGET} PRIVATE ${ARGN})
  target_include_directories(${TARGET} PRIVATE ${PROJECT_SOURCE_DIR}/libs)
  target_include_directories(${TARGET} SYSTEM PRIVATE ${ASSAY_TENSORRT_INCLUDE} ${ASSAY_CUDA_INCLUDES})
  set_target_properties(${TARGET} PROPERTIES PREFIX "" OUTPUT_NAME ${FILE} SUFFIX "" NO_SONAME TRUE UNITY_BUILD OFF
    CXX_VISIBILITY_PRESET default LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fake_tensorrt/${FOLDER})
  add_dependencies(assay_backend_tensorrt_test ${TARGET})
endfunction()
set(plain test/fake/fake_library.cpp)
assay_tensorrt_fake(assay_fake_nvinfer_old old libnvinfer.so.8 ${plain} ASSAY_FAKE_VERSION=8601 ASSAY_FAKE_WHOLE)
assay_tensorrt_fake(assay_fake_nvinfer_other other libnvinfer.so.${major} ${plain})
assay_tensorrt_fake(assay_fake_nvinfer_alone alone libnvinfer.so.${major} ${plain} ASSAY_FAKE_WHOLE
  ASSAY_FAKE_VERSION=${major}9900)
assay_tensorrt_fake(assay_fake_nvinfer_whole whole libnvinfer.so.${major} ${plain} ASSAY_FAKE_WHOLE
  ASSAY_FAKE_VERSION=${major}9901)
assay_tensorrt_fake(assay_fake_nvonnxparser_whole whole libnvonnxparser.so.${major} ${plain} ASSAY_FAKE_PARSER)

# Those that answer engines have TensorRT's interfaces, which grow from version to version: of the pinned headers.
if("${major}.${minor}" STREQUAL "11.1")
  assay_test(assay_backend_tensorrt_fake_test SOURCES test/build_test.cpp test/session_test.cpp LIBRARIES assay_tensorrt_parts assay_onnx_proto)
  assay_tensorrt_fake(assay_fake_nvinfer engine libnvinfer.so.${major} test/fake/fake_nvinfer.cpp)
  target_sources(assay_fake_nvinfer PRIVATE test/fake/fake_builder.cpp ${PROJECT_SOURCE_DIR}/libs/nvidia/fake/script.cpp)
  assay_tensorrt_fake(assay_fake_nvonnxparser engine libnvonnxparser.so.${major} test/fake/fake_nvonnxparser.cpp)
  add_dependencies(assay_backend_tensorrt_fake_test assay_fake_nvinfer assay_fake_nvonnxparser assay_fake_cudart)
endif()
