# For plugin authors, inside Trivet's own tree, from an installed SDK, or by its path:
#
#   include(<sdk>/cmake/TrivetPlugin.cmake)     or, where Trivet is installed: find_package(Trivet REQUIRED)
#   trivet_add_plugin(hello SOURCES hello.cpp [LINK ...] [OUTPUT_DIRECTORY <folder>])
#   trivet_add_plugin_test(hello_test SOURCES hello.cpp hello_test.cpp [LINK ...])
#
# A plugin is a module NAME.so (default: in <build>/plugins) that exports its entry symbol and nothing else: so two
# plugins, or two versions of one, never share a variable or a class by accident, whatever they were compiled with.

if(NOT TRIVET_INCLUDE_DIR)
  set(TRIVET_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../include")
endif()
set(TRIVET_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/plugin.map")

if(NOT TARGET trivet_sdk)
  add_library(trivet_sdk INTERFACE)
  target_include_directories(trivet_sdk INTERFACE $<BUILD_INTERFACE:${TRIVET_INCLUDE_DIR}>)
  target_compile_features(trivet_sdk INTERFACE cxx_std_20)
endif()

function(trivet_add_plugin name)
  cmake_parse_arguments(P "" "OUTPUT_DIRECTORY" "SOURCES;LINK" ${ARGN})
  if(NOT P_SOURCES)
    message(FATAL_ERROR "trivet_add_plugin(${name}): name its SOURCES")
  endif()
  if(NOT P_OUTPUT_DIRECTORY)
    set(P_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  endif()
  # The target has a name of its own, so that a plugin may be called `test` or like a library.
  set(target trivet_plugin_${name})
  add_library(${target} MODULE ${P_SOURCES})
  set_target_properties(
    ${target}
    PROPERTIES PREFIX "" OUTPUT_NAME ${name} SUFFIX .so LIBRARY_OUTPUT_DIRECTORY ${P_OUTPUT_DIRECTORY}
               C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
               LINK_DEPENDS ${TRIVET_PLUGIN_MAP})
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${target} PRIVATE -Wl,--version-script=${TRIVET_PLUGIN_MAP} -Wl,-z,now -Wl,--build-id)
  # An undefined symbol is an error when the plugin is built, not when it is loaded. Not with clang's sanitizers: there
  # the run time is in the executable alone.
  if(NOT ("${CMAKE_CXX_COMPILER_ID}" MATCHES Clang
          AND "${TRIVET_SANITIZE} ${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}" MATCHES "-fsanitize|address|thread|undefined"))
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  target_link_libraries(${target} PRIVATE trivet_sdk ${P_LINK})
  if(TARGET trivet_flags) # Trivet's own tree is stricter with itself.
    target_link_libraries(${target} PRIVATE trivet_flags)
  endif()
endfunction()

# A program of the plugin's sources and its test, which runs the hooks by <trivet/testing.hpp>.
function(trivet_add_plugin_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE trivet_sdk ${T_LINK})
  add_test(NAME ${name} COMMAND ${name})
endfunction()
