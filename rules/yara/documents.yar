/*
   Documents and shortcuts that carry code: macro source, embedded objects, remote templates, smuggling pages, shortcuts.
*/

rule SUSP_VBA_Auto_Start_Shell : SUSP MACRO T1059_005 T1204_002 {
   meta:
      description = "Macro source that starts a program when the document opens"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/005/"
      score = 75
      id = "f1a985a1-0d09-541b-9ab7-5a303f2cbfb5"
   strings:
      $auto = /\bSub[ \t]{1,4}(Auto_?Open|AutoExec|AutoClose|Document_(Open|Close)|Workbook_(Open|Activate|BeforeClose))[ \t]{0,4}\(/ nocase
      $shell1 = /\bShell[ \t]{0,4}\(?[ \t]{0,4}["(]/ nocase
      $shell2 = /CreateObject[ \t]{0,4}\([ \t]{0,4}"(WScript\.Shell|Shell\.Application|WbemScripting\.SWbemLocator)"/ nocase
      $shell3 = /GetObject[ \t]{0,4}\([ \t]{0,4}"winmgmts:/ nocase
      $tool = /(powershell|cmd(\.exe)?[ \t]{1,4}\/c|mshta|rundll32|regsvr32|certutil|bitsadmin|wscript|Win32_Process)/ nocase
   condition:
      filesize < 2MB and $auto and any of ($shell*) and $tool
}

rule SUSP_VBA_Memory_Functions : SUSP MACRO T1055 T1106 {
   meta:
      description = "Macro source that declares the system calls needed to run code from memory"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1055/"
      score = 80
      id = "82dde058-6c8d-548f-acf2-1732fe06d5c7"
   strings:
      $declare = /Declare[ \t]{1,4}(PtrSafe[ \t]{1,4})?(Function|Sub)[ \t]/ nocase
      $alloc = /"?(VirtualAlloc(Ex)?|NtAllocateVirtualMemory|HeapCreate)\b/ nocase
      $copy = /\b(RtlMoveMemory|WriteProcessMemory|NtWriteVirtualMemory)\b/ nocase
      $run = /\b(CreateThread|CreateRemoteThread|EnumSystemLocales[AW]?|CallWindowProc[AW]?|QueueUserAPC)\b/ nocase
      $lib = /Lib[ \t]{1,4}"(kernel32|ntdll|user32)(\.dll)?"/ nocase
   condition:
      filesize < 2MB and uint16be(0) != 0x4D5A and all of them
}

rule SUSP_RTF_Equation_Object : EXPL T1203 CVE_2017_11882 {
   meta:
      description = "Rich text document with an embedded equation object, hardly used but for one old flaw"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://nvd.nist.gov/vuln/detail/CVE-2017-11882"
      score = 70
      id = "5d8b1486-b90a-5e8e-ae8f-5d5075b00029"
   strings:
      $object = "\\objdata" nocase
      $class = "Equation.3" nocase
      $classx = "4571756174696f6e2e33" nocase
      $clsid = "02ce020000000000c000000000000046" nocase
   condition:
      uint32be(0) == 0x7B5C7274 and filesize < 10MB and $object and any of ($class, $classx, $clsid)
}

rule SUSP_Office_Remote_Template : SUSP T1221 {
   meta:
      description = "Office relations file that loads a template from the network"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1221/"
      score = 65
      id = "1bf8ee11-830b-5d8d-9ac0-de6ba3da125d"
   strings:
      $rel = "<Relationships"
      $type = /Type="[^"]{10,120}\/(attachedTemplate|oleObject|frame|subDocument)"/ nocase
      $target = /Target="(https?:\/\/|\\\\|file:\/\/\/?\\\\|mhtml:|ms-msdt:)[^"]{4,300}"/ nocase
      $mode = "TargetMode=\"External\""
   condition:
      filesize < 1MB and all of them
}

rule SUSP_PDF_Starts_Program : SUSP PDF T1204_002 {
   meta:
      description = "Document that starts a program by itself"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1204/002/"
      score = 70
      id = "1675cc4b-9a22-5264-9a19-927b28931d9f"
   strings:
      $open1 = "/OpenAction"
      $open2 = "/AA"
      $launch = /\/S[ ]{0,2}\/Launch/
      $tool = /(cmd(\.exe)?|powershell|mshta|wscript|rundll32)[ \t)\/(]/ nocase
   condition:
      uint32be(0) == 0x25504446 and filesize < 20MB and any of ($open*) and $launch and $tool
}

rule SUSP_HTML_Smuggled_File : SUSP HTML T1027_006 {
   meta:
      description = "Web page that assembles an archive or program in the browser and saves it by itself"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1027/006/"
      score = 65
      id = "e71995df-eaa9-5347-865b-d612fecd4a16"
   strings:
      $decode = /\batob[ \t]{0,4}\(|Uint8Array\.from[ \t]{0,4}\(/
      $blob = /new[ \t]{1,4}Blob[ \t]{0,4}\(/
      $save1 = "msSaveOrOpenBlob"
      $save2 = /\.download[ \t]{0,4}=/
      $click = /\.click[ \t]{0,4}\(/
      $data = /["'](TVqQ|TVpQ|UEsDB|UmFyI|N3q8r|Q0QwMD)[A-Za-z0-9+\/]{60}/
   condition:
      filesize < 20MB and $decode and $blob and any of ($save*) and ($click or $save1) and $data
}

rule SUSP_LNK_Starts_Script_Host : SUSP LNK T1204_002 T1547_009 {
   meta:
      description = "Shortcut whose arguments start a hidden or downloading command"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1204/002/"
      score = 75
      id = "43e97a80-638f-581e-a8e0-d6fa993ca69b"
   strings:
      $tool = /(p\x00o\x00w\x00e\x00r\x00s\x00h\x00e\x00l\x00l\x00|m\x00s\x00h\x00t\x00a\x00|c\x00m\x00d\x00\.\x00e\x00x\x00e\x00|powershell|mshta|cmd\.exe)/ nocase
      $w1 = "hidden" wide nocase
      $w2 = "http://" wide nocase
      $w3 = "https://" wide nocase
      $w4 = "-enc" wide nocase
      $w5 = "DownloadString" wide nocase
      $w6 = "javascript:" wide nocase
   condition:
      uint32be(0) == 0x4C000000 and uint32be(4) == 0x01140200 and filesize < 1MB and $tool and any of ($w*)
}

rule SUSP_Internet_Shortcut_To_Share : SUSP T1187 {
   meta:
      description = "Internet shortcut that makes the desktop contact a file share, or starts a remote script"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1187/"
      score = 50
      id = "1e976f1b-b085-52c6-8a43-181c6c870ee8"
   strings:
      $head = "[InternetShortcut]" nocase
      $url = /\n(URL|IconFile)=(file:\/\/[^\/\s][^\s]{3,200}|\\\\[0-9a-z.@-]{4,100}\\[^\r\n]{1,200})/ nocase
   condition:
      filesize < 16KB and $head in (0..64) and $url
}
