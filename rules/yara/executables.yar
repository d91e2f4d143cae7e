/*
   Executables that are packed, padded, or hidden in another file. A packer alone is no proof, so its score is low.
*/

import "pe"
import "math"

rule SUSP_PE_UPX_Section_Names : PACKER T1027_002 {
   meta:
      description = "Windows program with the section names of the UPX packer"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/002/"
      score = 40
      id = "2dd21525-74fb-5f4a-a8a2-f9834c11416c"
   condition:
      uint16be(0) == 0x4D5A and pe.number_of_sections > 1
      and for any i in (0..pe.number_of_sections - 1) : (pe.sections[i].name == "UPX0" or pe.sections[i].name == "UPX1")
}

rule SUSP_PE_Protector_Section_Names : PACKER T1027_002 {
   meta:
      description = "Windows program with the section names of a commercial protector or a rare packer"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/002/"
      score = 50
      id = "ad3de425-8baf-502a-af47-41d9c1152a81"
   condition:
      uint16be(0) == 0x4D5A and pe.number_of_sections > 0
      and for any i in (0..pe.number_of_sections - 1) : (
         pe.sections[i].name == ".vmp0" or pe.sections[i].name == ".vmp1" or pe.sections[i].name == ".themida"
         or pe.sections[i].name == ".MPRESS1" or pe.sections[i].name == ".aspack" or pe.sections[i].name == ".adata"
         or pe.sections[i].name == ".petite" or pe.sections[i].name == ".nsp0" or pe.sections[i].name == ".enigma1"
         or pe.sections[i].name == "pebundle" or pe.sections[i].name == ".winlice"
      )
}

rule SUSP_PE_Large_Random_Overlay : SUSP T1027_009 {
   meta:
      description = "Unsigned Windows program followed by far more random-looking data than the program itself"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/009/"
      score = 45
      id = "a6c78f74-c2ed-550e-a64d-7d0ee51b8a27"
   strings:
      $installer1 = "Nullsoft" ascii wide
      $installer2 = "Inno Setup" ascii wide
      $installer3 = "7z\xBC\xAF\x27\x1C"
      $installer4 = "Rar!\x1A\x07"
      $installer5 = "MSCF\x00\x00\x00\x00"
      $installer6 = "PK\x05\x06"
      $installer7 = "PyInstaller" ascii wide
      $installer8 = "_MEIPASS"
   condition:
      uint16be(0) == 0x4D5A and filesize < 20MB and pe.number_of_signatures == 0
      and pe.overlay.size > 4096 and pe.overlay.size > 3 * pe.overlay.offset
      and none of ($installer*)
      and math.entropy(pe.overlay.offset, pe.overlay.size) > 7.8
}

rule SUSP_PE_Appended_To_Picture : SUSP T1027_009 T1036_008 {
   meta:
      description = "Picture with a Windows program hidden behind it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/009/"
      score = 75
      id = "c3cd866e-b43f-5812-88ce-3617995140bd"
   strings:
      $dos = "This program cannot be run in DOS mode"
   condition:
      (uint16be(0) == 0xFFD8 or uint32be(0) == 0x89504E47 or uint32be(0) == 0x47494638)
      and filesize < 20MB
      and for any i in (1..#dos) : (@dos[i] > 78 and uint16be(@dos[i] - 78) == 0x4D5A)
}

rule SUSP_PE_As_Base64_Text : SUSP T1027_013 {
   meta:
      description = "Windows program written as Base64 inside a text file"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/013/"
      score = 55
      id = "f45d246e-96e4-5db5-91ae-8129ea352117"
   strings:
      $plain = "TVqQAAMAAAAEAAAA"
      $plain2 = "TVpQAAIAAAAEAA8A"
      $plain3 = "TVoAAAAAAAAAAAAA"
      $stub = "This program cannot be run in DOS mode" base64
      $mail = "Content-Transfer-Encoding:" nocase
   condition:
      filesize < 20MB and uint16be(0) != 0x4D5A and (any of ($plain*) and $stub) and not $mail
}

rule SUSP_PE_As_Hex_Text : SUSP T1027_013 {
   meta:
      description = "Windows program written as hexadecimal digits inside a script"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/013/"
      score = 60
      id = "9f61160c-1e04-5407-9c5e-46d1c622ebc3"
   strings:
      $head = /4D5A(90000300000004000000FFFF|50000200000004000F00FFFF)/ nocase
      $headx = /0x4D,[ ]?0x5A,[ ]?0x90,[ ]?0x00,[ ]?0x03,[ ]?0x00,[ ]?0x00,[ ]?0x00/ nocase
      $stub = "546869732070726F6772616D2063616E6E6F74" nocase
      $stubx = /0x54,[ ]?0x68,[ ]?0x69,[ ]?0x73,[ ]?0x20,[ ]?0x70,[ ]?0x72,[ ]?0x6F,[ ]?0x67/ nocase
   condition:
      filesize < 20MB and uint16be(0) != 0x4D5A and (($head and $stub) or ($headx and $stubx))
}

rule SUSP_ELF_UPX_Packed : PACKER LINUX T1027_002 {
   meta:
      description = "Linux program packed with UPX"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/002/"
      score = 45
      id = "ef868210-2f0b-59fe-983b-0b03504f293e"
   strings:
      $magic = "UPX!"
      $info = "$Info: This file is packed with the UPX executable packer"
   condition:
      uint32be(0) == 0x7F454C46 and $magic and $info
}
