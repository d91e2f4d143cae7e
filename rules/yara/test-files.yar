/*
   Harmless test files of the trade.
*/

rule TEST_EICAR_Antivirus_Test_File : TEST EICAR {
   meta:
      description = "The EICAR test file, harmless, made to show that scanning works"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://www.eicar.org/download-anti-malware-testfile/"
      score = 100
      id = "8cb99191-13bd-5694-94c3-06f03228394a"
   strings:
      $head = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
      $tail = "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
   condition:
      filesize < 1024 and $head in (0..4) and $tail in (28..80)
}
