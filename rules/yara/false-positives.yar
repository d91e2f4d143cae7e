/*
   Rules with `falsepositive = 1`: their score is taken away from the file's total.
*/

rule FP_Detection_Rules_File : FALSEPOSITIVE {
   meta:
      description = "File of detection rules by name and layout; it quotes what it looks for"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://yara.readthedocs.io/en/stable/writingrules.html"
      score = 60
      id = "fd9cd444-55ed-58fe-bd16-786b2de819ba"
      falsepositive = 1
   strings:
      $rule = /\n(private |global )?rule [A-Za-z_][A-Za-z0-9_]{2,100}[ \t\r\n:{]/
      $strings = /\n[ \t]{1,8}strings:[ \t]{0,4}\r?\n/
      $condition = /\n[ \t]{1,8}condition:[ \t]{0,4}\r?\n/
   condition:
      (extension == ".yar" or extension == ".yara") and filesize < 5MB and all of them
      and uint16be(0) != 0x4D5A and uint16be(0) != 0x3C3F
}
