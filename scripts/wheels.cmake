# For building against ROS 2 from Python wheels, given as CMAKE_PROJECT_INCLUDE; a distro does not need it.
# The wheels' imported targets name include folders of the machine on which they were made, and CMake refuses targets
# whose include folders do not exist.
function(drop_foreign_include_folders)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(folders)
      list(FILTER folders EXCLUDE REGEX "^/opt/python/")
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folders}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL drop_foreign_include_folders)
