long part1(long), part2(long), part3(long), part4(long), part5(long), part6(long), part7(long), part8(long);
