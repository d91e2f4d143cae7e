/*
   Meta rules (file name tag `meta`): they see only the beginning of a file together with its name, path and type, and
   run on every file whatever its size. So: no filesize, no string far from the start.
*/

rule META_Program_With_Harmless_Extension : SUSP T1036_008 {
   meta:
      description = "Windows program whose name claims to be a picture, document, text or media file"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1036/008/"
      score = 75
      id = "b483f10c-a9f9-539a-bfd0-4e88012bf221"
   condition:
      uint16be(0) == 0x4D5A and uint32(0x3C) < 2000 and uint32be(uint32(0x3C)) == 0x50450000
      and extension matches /^\.(jpe?g|png|gif|bmp|ico|pdf|docx?|xlsx?|pptx?|rtf|txt|csv|log|html?|css|mp[34]|wav|avi|zip|json|xml)$/i
}

rule META_Process_Dump_Named_LSASS : HKTL T1003_001 {
   meta:
      description = "Process dump whose name says that it was taken from the security authority"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/001/"
      score = 75
      id = "f7726f20-c635-5fed-bc65-bd239f23455d"
   condition:
      uint32be(0) == 0x4D444D50 and filename icontains "lsass"
}

rule META_ELF_In_Odd_Place : SUSP LINUX T1036_005 T1564_001 {
   meta:
      description = "Linux program in shared memory, a temporary or web folder, or with a harmless extension"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1036/005/"
      score = 65
      id = "c5ceb456-ecc2-55a6-93a9-15def26dea8c"
   condition:
      uint32be(0) == 0x7F454C46
      and (
         filepath matches /\/(dev\/shm|var\/tmp|var\/www\/[^\r\n]{1,120}|tmp\/\.[^\/]{1,40})$/
         or extension matches /^\.(jpe?g|png|gif|txt|pdf|css|ico|log|conf)$/i
      )
}

rule META_Script_With_Picture_Name : SUSP T1036_008 {
   meta:
      description = "Script whose name claims to be a picture or style sheet"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1036/008/"
      score = 60
      id = "b96d0d5a-9000-5256-82f7-ac847aea6360"
   strings:
      $php = /^(\xEF\xBB\xBF)?[ \t\r\n]{0,8}<\?php/
      $shebang = /^#! ?\/(bin|usr\/bin)\//
      $jsp = /^[ \t\r\n]{0,8}<%@[ \t]{0,4}page/
   condition:
      extension matches /^\.(jpe?g|png|gif|bmp|ico|css|woff2?|svg)$/i and any of them
}
